// SharedRoot: the root of a container that shares a mount namespace, for whoever takes it away
// again. It is found by the numbers of its mount, wherever it is by then, and never taken for
// another's. statx(2), proc_pid_mountinfo(5).
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "base/result.h"
#include "container/spec/spec.h"

namespace berth::container {

struct SharedRoot {
  std::uint64_t mount = 0;            // STATX_MNT_ID; 0: there is none
  std::uint64_t unique = 0;           // STATX_MNT_ID_UNIQUE, never reused; 0: before Linux 6.8
  std::uint64_t mount_namespace = 0;  // inode number of the namespace that it is in
  friend bool operator==(const SharedRoot&, const SharedRoot&) = default;
};

/// Of the mount behind a descriptor, which the process `pid` has or is going to attach.
Result<SharedRoot> identify_root(int fd, pid_t pid);

/// Unmounts it and all below it, without a trace in the host's other mounts. Gone already, or the
/// namespace that it was in, is fine. kConflict: it is in a namespace that is not this process's,
/// or another mount covers it; the text says what to do.
Result<void> remove_shared_root(const Spec& spec, const SharedRoot& root);

}  // namespace berth::container
