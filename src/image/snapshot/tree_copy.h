// A copy of a tree that nobody can tell from the original: owners, modes, times, extended
// attributes, hard links, devices, holes. Data is shared with the original where the file system
// can (ioctl_ficlone(2)), and copied inside the kernel where it cannot (copy_file_range(2)).
#pragma once

#include "base/result.h"

namespace berth::image {

/// Copies what is in `from`, and the attributes of `from` itself, into the empty directory `to`.
/// Nobody changes either meanwhile. An error leaves a part in `to`. Needs root.
Result<void> copy_tree(int from, int to);

}  // namespace berth::image
