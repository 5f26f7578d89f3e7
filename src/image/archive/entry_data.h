// The data of a file in an archive, written to a descriptor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "image/archive/tar_reader.h"

namespace berth::image {

/// pwrite(2) of all of `bytes`.
Result<void> pwrite_all(int fd, std::span<const std::byte> bytes, std::uint64_t offset);

/// Writes the current file of `reader` to the empty file `fd`; holes stay holes. kCorrupt if the
/// archive has more for it than `entry` says.
Result<void> write_entry_data(TarReader& reader, const TarEntry& entry, int fd);

}  // namespace berth::image
