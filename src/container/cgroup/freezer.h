// Freezer: whether a container's processes are stopped, told from the paths of its cgroups alone:
// `state` and `list` ask that of every container there is. cgroup-v2.rst "cgroup.freeze",
// cgroup-v1/freezer-subsystem.rst.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "container/cgroup/tree.h"

namespace berth::container {

/// Whether the container itself was frozen; that a cgroup above it is does not count. False where
/// the cgroups are gone.
bool is_frozen(const std::vector<std::string>& cgroup_paths);

/// Freezes the processes of a v1 freezer cgroup and returns when all have stopped. kConflict: one
/// has not in time; then all run again.
Result<void> freeze_v1(const CgroupDirectory& freezer);
Result<void> thaw_v1(const CgroupDirectory& freezer);

}  // namespace berth::container
