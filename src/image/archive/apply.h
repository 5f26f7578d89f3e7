// apply_layer(): a layer's tar stream becomes files in a directory. The archive is hostile: names
// cannot leave the directory, sizes and counts are capped, and modes, owners and devices are those
// of the archive only inside it. Source: image-spec layer.md; pax(1) for the format.
#pragma once

#include <cstdint>
#include <span>

#include "base/byte_source.h"
#include "base/result.h"
#include "image/archive/whiteout.h"

namespace berth::image {

struct ApplyLimits {
  /// Debian's whole archive unpacked has some 10 million files; an image is a small part of it.
  std::uint64_t max_entries = 4'000'000;
  /// Sum of the files' sizes, holes included: what the tree can grow to.
  std::uint64_t max_bytes = 64ULL << 30;
  /// Memory for the times of directories, which are set last: half a million with paths of 60
  /// bytes.
  std::size_t max_directory_bytes = 64U << 20;
};

struct AppliedLayer {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;  // sum of the files' sizes: what Docker counts as a layer's size
};

struct ApplyTarget {
  int root;                     // the directory, borrowed
  std::span<const int> lowers;  // the layers below, topmost first, borrowed
  Whiteouts* whiteouts;         // null: there is nothing below that could be hidden
};

/// Unpacks `tar` (no compression) into the target, and reads it to its very end, padding included,
/// so that whoever hashes it sees all. An error leaves a part of the layer in the directory: remove
/// it. kCorrupt, kInvalid or kExhausted say what is wrong with the archive, or that the disk is
/// full. Needs root. Nothing is fsynced.
Result<AppliedLayer> apply_layer(const ApplyTarget& target, ByteSource& tar,
                                 const ApplyLimits& limits = {});

}  // namespace berth::image
