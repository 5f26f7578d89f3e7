// The "vfs" snapshotter: every snapshot is a whole copy of its parent. Works on any file system,
// shares data only where that can share extents. Its one mount is a bind mount of the copy.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "image/snapshot/snapshotter.h"
#include "image/store/database.h"

namespace berth::image {

/// Keeps its trees below `root`, and its rows in `database`, borrowed.
Result<std::unique_ptr<Snapshotter>> open_native_snapshotter(const std::string& root,
                                                             Database& database);

}  // namespace berth::image
