// What a tree takes on disk.
#pragma once

#include "base/result.h"
#include "image/snapshot/snapshotter.h"

namespace berth::image {

/// The tree below `dirfd`, the directory itself included; a file with several names counts once,
/// one that is removed during the walk not at all. Files may change meanwhile: the figure is of
/// some moment during the call.
Result<SnapshotUsage> measure_tree(int dirfd);

}  // namespace berth::image
