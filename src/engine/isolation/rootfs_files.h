// Files of a workload's root that the engine reads before the workload exists. The root is mounted
// detached (fsmount(2), open_tree(2)): no path of the host leads to it, and it is gone when this
// returns.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "sys/mount_spec.h"

namespace berth::engine {

struct IdentityFiles {
  std::string passwd;  // empty if the image has none
  std::string group;
};

/// More than this of /etc/passwd or /etc/group is an image's mistake or its attack.
inline constexpr std::size_t kMaxIdentityFile = 1U << 20;

/// /etc/passwd and /etc/group of the root that `mounts` show, symbolic links resolved inside it.
/// Only regular files are read. kExhausted: over kMaxIdentityFile.
Result<IdentityFiles> read_identity_files(const std::vector<sys::MountSpec>& mounts);

}  // namespace berth::engine
