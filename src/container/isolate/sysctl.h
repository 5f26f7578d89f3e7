// Sysctls of the container's own namespaces, written through a procfs that is known to be one.
// proc_sys(5).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
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

/// kInvalid: the namespace a sysctl belongs to would be the runtime's own, joined by its path or by
/// the descriptor `network_namespace` (-1: none).
Result<SysctlPlan> plan_sysctl(const Spec& spec, int network_namespace);
/// All namespaces are entered and the container's procfs, if it has one, is mounted.
bool enter_sysctl(Child& child, const SysctlPlan& plan);

}  // namespace berth::container
