// The "overlay2" snapshotter: a snapshot is a directory of changes, and overlayfs shows it on top
// of its parents. Layout of a snapshot's directory: fs (the changes, the overlay's upper layer) and
// work (overlayfs's own). Source: Documentation/filesystems/overlayfs.rst.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "image/snapshot/snapshotter.h"
#include "image/store/database.h"

namespace berth::image {

/// Keeps its trees below `root`, whose path has no comma, colon or backslash (they mean something
/// in mount options), and its rows in `database`, borrowed. kUnsupported if the host or the file
/// system cannot do it.
Result<std::unique_ptr<Snapshotter>> open_overlay_snapshotter(const std::string& root,
                                                              Database& database);

}  // namespace berth::image
