// The container's own view of its cgroups: the mount of type "cgroup" in a spec.
// cgroup_namespaces(7); runtime-spec, config-linux.md "Control groups".
//   v2             one cgroup2 file system
//   v1 and hybrid  a read-only tmpfs with one directory per hierarchy the container is in, and
//   links for those that
//                  are mounted together
// In a cgroup namespace the file systems show the container's part as their root; without one, its
// directories are bound.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "container/cgroup/layout.h"
#include "container/isolate/mounts.h"

namespace berth::container {

struct CgroupView {
  CgroupVersion version = CgroupVersion::kV1;
  bool own_namespace = false;
  std::span<const Hierarchy> hierarchies;
  std::string relative;  // the container's cgroup below each hierarchy
};

/// The mounts that make the one `mount` of the spec, in order.
Result<std::vector<MountPlan>> plan_cgroup_view(const Mount& mount, const std::string& noun,
                                                const CgroupView& view);

}  // namespace berth::container
