// UTS namespace: the container's host and domain name. uts_namespaces(7), sethostname(2).
#pragma once

#include <string>

#include "container/isolate/child.h"
#include "container/spec/spec.h"

namespace berth::container {

struct UtsPlan {
  std::string hostname;  // empty: as inherited
  std::string domainname;
};

UtsPlan plan_uts(const Spec& spec);
bool enter_uts(Child& child, const UtsPlan& plan);

}  // namespace berth::container
