// FuseMount: a file system that a program serves (FUSE), mounted nowhere. The program is given the
// connection instead of a mount point, so it mounts nothing and needs no fusermount, and it ends by
// itself once nobody has the mount any more, however that came. Linux, filesystems/fuse.rst;
// fuse(4); libfuse 3.3 (mount point "/dev/fd/N"). Needs CAP_SYS_ADMIN.
#pragma once

#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "sys/mount_spec.h"

namespace berth::sys {

/// Whether a mount of this type is one: "fuse.NAME". Its source is the program's absolute path.
bool is_fuse(std::string_view type);

class FuseMount {
 public:
  /// Starts the program and waits until it answers. The options are given to it as they are; "ro"
  /// is the mount's as well. Everyone may use the mount, as the modes of its files allow.
  /// kUnsupported if the kernel has no FUSE; another error has what the program said.
  static Result<FuseMount> make(const MountSpec& spec);

  FuseMount(FuseMount&&) = default;
  FuseMount& operator=(FuseMount&&) = delete;
  /// Closes the mount, and waits for the program's end, unless the mount was released.
  ~FuseMount();

  /// The mount's root, borrowed: for *at calls and move_mount(2).
  int fd() const { return mount_.get(); }
  /// The mount alone. The program stays this process's child, and ends when the last who has the
  /// mount gives it up.
  UniqueFd release();

 private:
  FuseMount(UniqueFd mount, UniqueFd program)
      : mount_(std::move(mount)), program_(std::move(program)) {}

  UniqueFd mount_;
  UniqueFd program_;  // its pidfd
};

}  // namespace berth::sys
