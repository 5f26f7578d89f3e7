// MountSpec: one mount as plain data, the value in which a snapshotter says what a root filesystem
// is made of and a runtime learns what to mount. Nobody needs to know the other.
#pragma once

#include <string>
#include <vector>

namespace berth::sys {

/// As in the OCI runtime-spec's `mounts` entry and fstab(5).
struct MountSpec {
  std::string type;    // "overlay", "bind", "tmpfs", "proc", ...
  std::string source;  // absolute host path, or the file system's name where it has no source
  /// fstab-style: flags ("ro", "nosuid", "rbind", "rslave") and file-system data
  /// ("lowerdir=/a:/b").
  std::vector<std::string> options;

  friend bool operator==(const MountSpec&, const MountSpec&) = default;
};

}  // namespace berth::sys
