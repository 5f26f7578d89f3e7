#include "image/archive/entry_data.h"

#include <unistd.h>

#include <cerrno>

namespace berth::image {

Result<void> pwrite_all(int fd, std::span<const std::byte> bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0) {
      if (errno == EINTR) continue;
      return fail_errno("write");
    }
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return {};
}

Result<void> set_size(int fd, std::uint64_t size, std::uint64_t written) {
  // A hole at the end has no data to write.
  if (written != size && ::ftruncate(fd, static_cast<off_t>(size)) != 0)
    return fail_errno("set size");
  return {};
}

Result<void> read_entry_data(TarReader& reader, const TarEntry& entry,
                             const std::function<Result<void>(const TarBlock&)>& take) {
  TarBlock block;
  while (TRY(reader.next_block(block))) {
    if (block.offset > entry.size || block.data.size() > entry.size - block.offset) {
      return fail(ErrorKind::kCorrupt, "it has more data than it says");
    }
    if (!block.data.empty()) TRY(take(block));
  }
  return {};
}

Result<void> write_entry_data(TarReader& reader, const TarEntry& entry, int fd) {
  std::uint64_t end = 0;
  TRY(read_entry_data(reader, entry, [&](const TarBlock& block) {
    end = block.offset + block.data.size();
    return pwrite_all(fd, block.data, block.offset);
  }));
  return set_size(fd, entry.size, end);
}

}  // namespace berth::image
