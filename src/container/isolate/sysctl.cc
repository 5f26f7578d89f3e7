#include "container/isolate/sysctl.h"

namespace berth::container {

SysctlPlan plan_sysctl(const Spec& spec) {
  SysctlPlan plan;
  for (const auto& [name, value] : spec.linux_.sysctl) {
    // Dots separate, unless a slash comes first: then dots are part of a name
    // ("net/ipv4/conf/eth0.1/forwarding"). sysctl(8).
    std::string path = name;
    const auto first = path.find_first_of("./");
    if (first != std::string::npos && path[first] == '.')
      for (char& c : path) c = c == '.' ? '/' : c == '/' ? '.' : c;
    plan.entries.push_back({name, "sys/" + path, value});
  }
  return plan;
}

}  // namespace berth::container
