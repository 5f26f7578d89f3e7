// An overlay that is mounted nowhere: the superblock exists as long as its descriptor, visible to
// nobody else. For probing what the host can do, and for looking into a snapshot. Source:
// Documentation/filesystems/overlayfs.rst.
#pragma once

#include "base/result.h"
#include "base/unique_fd.h"
#include "sys/mount_spec.h"

namespace berth::sys {

enum class OverlayMethod {
  kAny,      // the newest that the kernel has
  kClassic,  // mount(2), as before Linux 6.7: for tests of the way back
};

/// `spec` is of type "overlay", its directories absolute. The descriptor is the root directory of
/// the mounted tree, for *at calls. Needs CAP_SYS_ADMIN; kUnsupported if the kernel has no
/// overlayfs, kInvalid if a kernel before 6.7 is given more layers than fit one page.
Result<UniqueFd> mount_overlay_detached(const MountSpec& spec,
                                        OverlayMethod method = OverlayMethod::kAny);

/// Whether overlays can have their upper layer in `dir`, a directory that is left as it was.
/// kUnsupported says why not and what to do.
Result<void> probe_overlay(const std::string& dir);

}  // namespace berth::sys
