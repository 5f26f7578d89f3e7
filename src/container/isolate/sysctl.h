// Sysctls of the container's own namespaces, written through a procfs that is known to be one.
// proc_sys(5).
#pragma once

#include <string>
#include <vector>

#include "container/isolate/child.h"
#include "container/spec/spec.h"

namespace berth::container {

struct SysctlEntry {
  std::string name;
  std::string file;  // below /proc: "sys/net/ipv4/ip_forward"
  std::string value;
};

struct SysctlPlan {
  std::vector<SysctlEntry> entries;
};

SysctlPlan plan_sysctl(const Spec& spec);
/// All namespaces are entered and the container's procfs, if it has one, is mounted.
bool enter_sysctl(Child& child, const SysctlPlan& plan);

}  // namespace berth::container
