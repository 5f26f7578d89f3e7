// Did the kernel's OOM killer end a process of this workload?
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace berth::holder {

/// The number behind `key` in a flat-keyed cgroup file ("oom_kill 3"); 0 if there is none.
unsigned long long keyed_value(std::string_view text, std::string_view key);

/// Asks the memory cgroup among `cgroups` (directories of a v1, v2 or hybrid tree): "oom_kill" in
/// memory.events (v2) or in memory.oom_control (v1, since Linux 4.13). Before the cgroup is
/// removed.
bool was_oom_killed(const std::vector<std::string>& cgroups);

}  // namespace berth::holder
