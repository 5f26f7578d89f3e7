#include <unistd.h>

#include "container/isolate/uts.h"

namespace berth::container {

bool enter_uts(Child& child, const UtsPlan& plan) {
  if (!plan.hostname.empty() && ::sethostname(plan.hostname.data(), plan.hostname.size()) != 0)
    return child.fail(Step::kHostname);
  if (!plan.domainname.empty() &&
      ::setdomainname(plan.domainname.data(), plan.domainname.size()) != 0)
    return child.fail(Step::kDomainname);
  return true;
}

}  // namespace berth::container
