// What a tree holds, or has otherwise than its base, as a tar stream. The tree may be changing
// meanwhile: every node is written as it was at one moment, a file with the size it had then.
#pragma once

#include <cstdint>

#include "base/byte_sink.h"
#include "base/result.h"
#include "image/changes/changes.h"
#include "image/changes/snapshot_trees.h"

namespace berth::image {

/// Writes all of the tree below the directory `root`, borrowed, without sockets: `export`. Errors
/// are those of the file system, or of `sink`, which leave half an archive in it.
Result<void> write_tree(int root, ByteSink& sink);

struct LayerContent {
  std::uint64_t changes = 0;  // entries; 0: nothing differs, and the archive is empty
};
/// Writes what differs as the layer of an image, with whiteouts for what is gone: `commit`.
/// kInvalid: a name starts with ".wh.", which would hide something else. Source: image-spec
/// layer.md.
Result<LayerContent> write_layer(const SnapshotTrees& trees, const IsMountPoint& is_mount_point,
                                 ByteSink& sink);

}  // namespace berth::image
