// A layer becomes one file, an erofs that an overlay takes for a layer: while its archive arrives,
// or from the directory that an overlay wrote its changes to. Equal layers make equal files.
//
// An archive is hostile in all that apply.h says of it, and is held to the same rules and limits;
// its names are in memory until it ends, at most kMaxTreeBytes of them, and of its files' bytes no
// more than a block and one extent of inodes (format.h).
#pragma once

#include <cstddef>

#include "base/byte_source.h"
#include "base/result.h"
#include "image/archive/apply.h"

namespace berth::image::erofs {

/// Names, links' targets and directories of one layer: a million entries with names of usual length
/// take half of it.
inline constexpr std::size_t kMaxTreeBytes = 256U << 20;

/// Writes `tar` (no compression), which is read to its very end, into the empty file `fd`. `base`:
/// the root directory of what the layers below show together, -1 if there are none. An error leaves
/// a part in the file. Nothing is fsynced.
Result<AppliedLayer> write_archive(ByteSource& tar, int base, int fd,
                                   const ApplyLimits& limits = {},
                                   std::size_t max_tree_bytes = kMaxTreeBytes);

/// Writes what is in the directory `upper`, an overlay's layer with its marks, into the empty file
/// `fd`. What changes meanwhile is as it was or as it is.
Result<void> write_directory(int upper, int fd);

}  // namespace berth::image::erofs
