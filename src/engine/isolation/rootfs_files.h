// Files of a workload's root that the engine reads before the workload exists.
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

/// /etc/passwd and /etc/group of the root that `mounts` show. Found in the layers without mounting
/// anything, as overlayfs would (kernel, Documentation/filesystems/overlayfs.rst: upper before
/// lower, whiteouts, opaque directories); where an image has a symbolic link on the way, the root
/// is mounted on the empty directory `mount_point` for a moment, in a mount namespace of its own.
/// Only regular files are read; anything else counts as absent. kExhausted: over kMaxIdentityFile.
Result<IdentityFiles> read_identity_files(const std::vector<sys::MountSpec>& mounts,
                                          const std::string& mount_point);

}  // namespace berth::engine
