// The root filesystem: a private copy of the host's mounts, the container's root mounted in it, and
// pivot_root(2) into that. What the host has mounted is gone for the container afterwards, and
// nothing of the container was ever seen by the host.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "container/isolate/child.h"
#include "container/isolate/mounts.h"
#include "container/spec/spec.h"

namespace berth::container {

struct RootfsPlan {
  std::string path;               // absolute, on the host
  std::vector<MountPlan> mounts;  // empty: the tree at `path` itself
  bool readonly = false;
  std::uint64_t propagation = 0;  // of the finished root: MS_*
  bool propagation_recursive = false;
  std::string working_directory;  // made if missing, as an empty directory
};

Result<RootfsPlan> plan_rootfs(const Spec& spec, const std::string& bundle,
                               std::span<const sys::MountSpec> mounts);

/// Cuts the mount namespace off from the host's and opens child.root and child.proc. Makes those of
/// `binds` that have to stay peers of the host's mounts before it does.
bool enter_rootfs(Child& child, const RootfsPlan& plan, std::span<MountPlan> binds);
/// Makes the root what "/" is. All mounts are in place.
bool enter_pivot(Child& child, const RootfsPlan& plan);

}  // namespace berth::container
