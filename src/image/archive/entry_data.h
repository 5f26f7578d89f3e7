// The data of a file in an archive, written to a descriptor.
#pragma once

#include "base/result.h"
#include "image/archive/tar_reader.h"

namespace berth::image {

/// Writes the current file of `reader` to the empty file `fd`; holes stay holes. kCorrupt if the
/// archive has more for it than `entry` says.
Result<void> write_entry_data(TarReader& reader, const TarEntry& entry, int fd);

}  // namespace berth::image
