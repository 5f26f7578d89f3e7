// Sealed files of the erofs file system, mounted nowhere: one alone, or several below one overlay.
// A file is mounted as it is where the kernel can do that (Linux 6.12), else through a loop device,
// which goes with the mount. Linux, filesystems/erofs.rst; loop(4).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "sys/mount_spec.h"

namespace berth::sys {

/// A mount of one sealed file: its source.
inline constexpr const char* kErofsType = "erofs";
/// An overlay that has sealed files among the directories of its "lowerdir=".
inline constexpr const char* kErofsOverlayType = "overlay.erofs";

bool is_erofs(std::string_view type);

enum class ErofsMethod {
  kAny,   // without a loop device, if the kernel can
  kLoop,  // as before Linux 6.12: for tests of the way back
};

/// `spec` is of one of the types above, its paths absolute. The descriptor is the root directory of
/// the mounted tree, for *at calls and move_mount(2); the files may be unlinked as long as it is
/// there. kUnsupported if the kernel lacks erofs, overlayfs or, where it needs them, loop devices.
/// Needs CAP_SYS_ADMIN.
Result<UniqueFd> mount_erofs_detached(const MountSpec& spec,
                                      ErofsMethod method = ErofsMethod::kAny);

}  // namespace berth::sys
