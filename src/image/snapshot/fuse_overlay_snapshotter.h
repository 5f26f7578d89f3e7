// The "fuse-overlayfs" snapshotter: as overlay2, for hosts where the kernel's overlayfs cannot have
// its layers: inside a container, whose root is an overlay itself, or on a file system without the
// marks it needs. A program, fuse-overlayfs(1), shows the layers instead of the kernel; mounts are
// of type "fuse.fuse-overlayfs", their source is the program (sys/fuse_mount.h). Whiteouts are
// files, as in archives, which every file system can hold.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "image/snapshot/snapshotter.h"
#include "image/store/database.h"

namespace berth::image {

inline constexpr const char* kFuseOverlayType = "fuse.fuse-overlayfs";

/// Keeps its trees below `root`, whose path has no comma, colon or backslash (they mean something
/// in mount options), and its rows in `database`, borrowed. kUnsupported if the program is not
/// installed, or cannot do it here.
Result<std::unique_ptr<Snapshotter>> open_fuse_overlay_snapshotter(const std::string& root,
                                                                   Database& database);

}  // namespace berth::image
