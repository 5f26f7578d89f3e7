// Which cgroups a process is in, as criu wants to be told where the tasks of the images go:
// cgroups(7), "/proc/[pid]/cgroup".
#pragma once

#include <sys/types.h>

#include <string_view>
#include <vector>

#include "base/result.h"
#include "container/checkpoint/criu_messages.h"

namespace berth::container {

/// A row for each controller of v1 and each named hierarchy, and one without a name for v2. Lines
/// that are not of the format are passed over.
std::vector<CriuCgroupRoot> parse_cgroup_roots(std::string_view text);

Result<std::vector<CriuCgroupRoot>> cgroup_roots_of(pid_t pid);

}  // namespace berth::container
