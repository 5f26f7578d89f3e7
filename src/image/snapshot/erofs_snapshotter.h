// The "erofs" snapshotter: a committed snapshot is one sealed file, an erofs file system, of which
// an overlay shows several on top of each other; a workload writes to a directory on top. A layer
// is written into its file while its archive arrives. What is sealed cannot be changed by anybody
// who has it mounted, costs one fsync, and is on disk whole or not at all.
//
// Layout of a snapshot's directory: fs and work (active: the upper layer and the overlay's own),
// unpacked (active: the file of a layer that was unpacked and not committed yet), layer (committed:
// the sealed file).
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "image/snapshot/snapshotter.h"
#include "image/store/database.h"

namespace berth::image {

/// Keeps its layers below `root`, whose path has no comma, colon or backslash (they mean something
/// in mount options), and its rows in `database`, borrowed. Mounts are of the types of
/// sys/erofs_mount.h. kUnsupported if the kernel mounts no erofs files, or `root` can hold no upper
/// layers.
Result<std::unique_ptr<Snapshotter>> open_erofs_snapshotter(const std::string& root,
                                                            Database& database);

}  // namespace berth::image
