// The data of a file in an archive, as the archive has it: runs, with holes between them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "base/result.h"
#include "image/archive/tar_reader.h"

namespace berth::image {

/// pwrite(2) of all of `bytes`.
Result<void> pwrite_all(int fd, std::span<const std::byte> bytes, std::uint64_t offset);
/// Gives `fd`, whose last data ends at `written`, its size.
Result<void> set_size(int fd, std::uint64_t size, std::uint64_t written);

/// Hands on the runs of data, none of them empty, of the current file of `reader`. kCorrupt if the
/// archive has more for it than `entry` says.
Result<void> read_entry_data(TarReader& reader, const TarEntry& entry,
                             const std::function<Result<void>(const TarBlock&)>& take);
/// Writes the current file of `reader` to the empty file `fd`; holes stay holes. Errors as above.
Result<void> write_entry_data(TarReader& reader, const TarEntry& entry, int fd);

}  // namespace berth::image
