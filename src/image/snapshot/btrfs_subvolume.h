// Subvolumes of btrfs: a tree of its own inside a file system, of which a snapshot is made at once
// and shares all that neither side changes. Source: ioctl(2) numbers and structures of
// <linux/btrfs.h>, items of <linux/btrfs_tree.h>; btrfs-subvolume(8). Needs root; Linux 4.18.
#pragma once

#include <string>

#include "base/result.h"
#include "image/snapshot/snapshotter.h"

namespace berth::image {

/// Makes the empty subvolume `name`, mode 755, in `dirfd`.
Result<void> create_subvolume(int dirfd, const std::string& name);
/// Makes `name` in `dirfd` a writable snapshot of the subvolume `source`, flushed to disk. A
/// subvolume inside of `source` is an empty directory in it.
Result<void> snapshot_subvolume(int source, int dirfd, const std::string& name);
/// Nobody writes to `subvolume` any more, whichever way it is mounted. May be repeated.
Result<void> make_subvolume_read_only(int subvolume);
/// Removes `name` and the subvolumes inside of it, which whoever wrote to it may have made. What is
/// not there, or is no subvolume, is left alone. The space comes back by and by.
Result<void> remove_subvolume(int dirfd, const std::string& name);

/// What `subvolume` itself holds: the extents and the inodes that were written since it was made a
/// snapshot of its parent; all of them if it has none. Its root directory always counts. Reads the
/// tree's new leaves only. What has not reached the tree yet (it does within the file system's
/// commit interval, 30 seconds by default) is not seen.
Result<SnapshotUsage> measure_subvolume(int subvolume);

/// Whether subvolumes can be made and removed in `dir`, which is left as it was. kUnsupported says
/// why not and what to do.
Result<void> probe_btrfs(const std::string& dir);

}  // namespace berth::image
