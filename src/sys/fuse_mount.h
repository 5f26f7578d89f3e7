// A file system that a program serves (FUSE), mounted nowhere. The program is given the connection
// instead of a mount point, so it mounts nothing and needs no fusermount, and it ends by itself
// once nobody has the mount any more, however that came. It is nobody's child here: its end is not
// to be waited for. Linux, filesystems/fuse.rst; fuse(4); libfuse 3.3 (mount point "/dev/fd/N").
#pragma once

#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "sys/mount_spec.h"

namespace berth::sys {

/// Whether a mount of this type is one: "fuse.NAME". Its source is the program's absolute path.
bool is_fuse(std::string_view type);

/// Starts the program and returns once it answers: the mount's root, for *at calls and
/// move_mount(2). The options are given to the program as they are; "ro" is the mount's as well.
/// Everyone may use the mount, as the modes of its files allow. kUnsupported if the kernel has no
/// FUSE; another error has what the program said. Needs CAP_SYS_ADMIN.
Result<UniqueFd> mount_fuse_detached(const MountSpec& spec);

/// A program that is to be started, with descriptors above those it gets: the connection (as
/// kFuseConnection), where what it says goes, and a pipe that has an errno if it could not be
/// started.
struct FuseProgram {
  const char* path = nullptr;
  char* const* argv = nullptr;
  int connection = -1;
  int said = -1;
  int failed = -1;
};
inline constexpr int kFuseConnection = 3;

/// For a copy of the process: makes another that becomes the program, and ends.
[[noreturn]] void start_fuse_program(const FuseProgram& program);

}  // namespace berth::sys
