// The "btrfs" snapshotter: every snapshot is a subvolume, made as a snapshot of its parent's. It
// shows the whole tree, shares with its parent what neither changes, and costs the same however
// large that is. Its one mount is a bind mount of the subvolume. Layout of a snapshot's directory:
// fs (the subvolume), read-only once the snapshot is committed.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "image/snapshot/snapshotter.h"
#include "image/store/database.h"

namespace berth::image {

/// Keeps its subvolumes below `root`, and its rows in `database`, borrowed. kUnsupported if `root`
/// is not on btrfs. usage() is what was written since a snapshot was made of its parent, without
/// the parent's: not what btrfs calls exclusive (btrfs-quota(8)), which becomes next to nothing for
/// a layer as soon as another is based on it.
Result<std::unique_ptr<Snapshotter>> open_btrfs_snapshotter(const std::string& root,
                                                            Database& database);

}  // namespace berth::image
