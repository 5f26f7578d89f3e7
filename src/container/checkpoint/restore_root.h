// RestoreRoot: where criu finds the root of the container it restores. It wants a mount there, and
// every place that something is going to be mounted at; both are made in a mount namespace of
// criu's own, so that the host sees nothing of it and nothing has to be undone.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "container/isolate/child.h"
#include "container/isolate/paths.h"
#include "container/spec/spec.h"

namespace berth::container {

struct MountPoint {
  std::string destination;  // absolute, in the container
  PathKind kind = PathKind::kDirectory;
  std::string source =
      {};  // of a bind, absolute on the host: later places may lie in it; else empty
};

struct RestoreRoot {
  std::string path;  // absolute on the host, without symbolic links
  std::vector<MountPoint> points;
};

/// What the spec mounts, but for what lies on a tmpfs, which criu fills, and for cgroups, which
/// criu mounts below a file system of the kernel. kNotFound: the source of a bind is gone.
Result<RestoreRoot> plan_restore_root(const Spec& spec, const std::string& rootfs,
                                      const std::string& bundle);

/// In the child, which is in a new mount namespace. Async-signal-safe.
bool enter_restore_root(Child& child, const RestoreRoot& root);

}  // namespace berth::container
