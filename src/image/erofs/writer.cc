#include "image/erofs/writer.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "image/archive/entry_data.h"
#include "image/erofs/xattrs.h"

namespace berth::image::erofs {
namespace {

/// Block numbers have 32 bits, and the last one means "none".
constexpr std::uint64_t kMaxBlocks = std::numeric_limits<std::uint32_t>::max() - 1;

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t to) {
  return (value + to - 1) / to * to;
}

/// As the kernel computes it: crc32c without the last inversion.
std::uint32_t checksum(std::span<const std::byte> bytes) {
  std::uint32_t sum = ~0U;
  for (const std::byte byte : bytes) {
    sum ^= static_cast<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ ((sum & 1) != 0 ? 0x82F63B78U : 0);
  }
  return sum;
}

}  // namespace

Result<std::uint64_t> Writer::take_blocks(std::uint64_t count) {
  if (count > kMaxBlocks - blocks_) {
    return fail(ErrorKind::kExhausted, "a layer of more than {} blocks cannot be an erofs",
                kMaxBlocks);
  }
  const std::uint64_t first = blocks_;
  blocks_ += count;
  return first;
}

/// At the next free slot from which the end of the data crosses no block, or at a block's start; an
/// end for which neither will do becomes a block of its own.
Result<void> Writer::place_inode(Place& place) {
  const auto fits = [&](std::uint64_t offset) {
    return place.tail == 0 || (offset + place.inode_size) % kBlock + place.tail <= kBlock;
  };
  std::uint64_t offset = round_up(free_, kSlot);
  if (!fits(offset)) offset = round_up(offset, kBlock);
  if (!fits(offset)) place.tail = 0;
  if (place.tail == 0) offset = round_up(free_, kSlot);
  if (offset + place.inode_size + place.tail > free_end_) {
    offset = TRY(take_blocks(kExtent / kBlock)) * kBlock;
    free_end_ = offset + kExtent;
    if (!fits(offset)) place.tail = 0;
  }
  place.offset = offset;
  free_ = offset + place.inode_size + place.tail;
  return {};
}

Result<void> Writer::place_data(Place& place) {
  const std::uint64_t count = place.size / kBlock + (place.size % kBlock > place.tail ? 1 : 0);
  if (count > 0) place.block = static_cast<std::uint32_t>(TRY(take_blocks(count)));
  return {};
}

Result<Place> Writer::reserve(const Attributes& attributes, std::uint64_t size) {
  Place place{
      .size = size,
      .tail = static_cast<std::uint32_t>(size % kBlock),
      .inode_size = static_cast<std::uint32_t>(kInodeSize + xattrs_size(attributes.xattrs))};
  // Before Linux 6.12 the kernel counts the attributes of a link twice when it looks whether the
  // text crosses a block.
  if (S_ISLNK(attributes.mode) && !attributes.xattrs.empty()) place.tail = 0;
  TRY(place_inode(place));
  TRY(place_data(place));
  return place;
}

Result<Place> Writer::reserve_root(const Attributes& attributes, std::uint64_t size) {
  Place place{
      .offset = kRootOffset,
      .size = size,
      .inode_size = static_cast<std::uint32_t>(kInodeSize + xattrs_size(attributes.xattrs))};
  TRY(place_data(place));
  return place;
}

Result<void> Writer::put_inode(const Place& place, const Attributes& attributes,
                               std::uint32_t links, std::uint32_t device) {
  const Layout layout = place.tail > 0 ? Layout::kInline : Layout::kPlain;
  const auto xattrs = xattrs_bytes(attributes.xattrs);
  const std::size_t count = xattrs.empty() ? 0 : 1 + (xattrs.size() - kXattrHeader) / 4;
  const bool is_device = S_ISCHR(attributes.mode) || S_ISBLK(attributes.mode);
  ++inodes_;
  std::array<std::byte, kInodeSize> bytes{};
  Put(bytes.data())
      .number(static_cast<std::uint16_t>(kExtended | static_cast<std::uint16_t>(layout)
                                                         << kLayoutShift))
      .number(static_cast<std::uint16_t>(count))
      .number(static_cast<std::uint16_t>(attributes.mode))
      .zeros(2)
      .number(place.size)
      .number(is_device ? device : place.block)
      .number(static_cast<std::uint32_t>(inodes_))
      .number(static_cast<std::uint32_t>(attributes.uid))
      .number(static_cast<std::uint32_t>(attributes.gid))
      .number(static_cast<std::uint64_t>(attributes.mtime.tv_sec))
      .number(static_cast<std::uint32_t>(attributes.mtime.tv_nsec))
      .number(links);
  TRY(put_metadata(place.offset, bytes));
  return put_metadata(place.offset + kInodeSize, xattrs);
}

Result<void> Writer::put_data(const Place& place, std::uint64_t offset,
                              std::span<const std::byte> bytes) {
  const std::uint64_t body = place.size - place.tail;
  if (offset < body) {
    const auto now = bytes.first(std::min<std::uint64_t>(bytes.size(), body - offset));
    TRY(pwrite_all(fd_, now, place.block * kBlock + offset));
    bytes = bytes.subspan(now.size());
    offset += now.size();
  }
  if (bytes.empty()) return {};
  return put_metadata(place.offset + place.inode_size + (offset - body), bytes);
}

Result<void> Writer::put_metadata(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (bytes.empty()) return {};
  if (offset < extent_start_ || offset >= extent_start_ + kExtent || extent_used_ == 0) {
    TRY(flush());
    extent_start_ = offset;  // the first of an extent is at its start
  }
  const auto at = static_cast<std::size_t>(offset - extent_start_);
  std::ranges::copy(bytes, extent_.begin() + static_cast<std::ptrdiff_t>(at));
  extent_used_ = std::max(extent_used_, at + bytes.size());
  return {};
}

Result<void> Writer::flush() {
  TRY(pwrite_all(fd_, std::span(extent_).first(extent_used_), extent_start_));
  std::ranges::fill(extent_, std::byte{0});
  extent_used_ = 0;
  return {};
}

Result<void> Writer::set_links(std::uint64_t number, std::uint32_t links) {
  std::array<std::byte, sizeof links> bytes{};
  Put(bytes.data()).number(links);
  const std::uint64_t offset = number * kSlot + kLinksOffset;
  if (offset >= extent_start_ && offset < extent_start_ + extent_used_) {
    return put_metadata(offset, bytes);
  }
  return pwrite_all(fd_, bytes, offset);
}

Result<void> Writer::finish() {
  TRY(flush());
  // What is checked is all of the block behind the boot sector's room.
  std::array<std::byte, kBlock - kSuperOffset> super{};
  const auto put = [&](std::uint32_t sum) {
    Put(super.data())
        .number(kMagic)
        .number(sum)
        .number(kFeatures)
        .number(std::uint8_t{12})  // the block's size, as a power of two
        .zeros(1)
        .number(static_cast<std::uint16_t>(kRootOffset / kSlot))
        .number(inodes_)
        .zeros(12)  // no time of its own
        .number(static_cast<std::uint32_t>(blocks_));
  };
  put(0);
  put(checksum(super));
  TRY(pwrite_all(fd_, super, kSuperOffset));
  if (::ftruncate(fd_, static_cast<off_t>(blocks_ * kBlock)) != 0) return fail_errno("set size");
  return {};
}

Result<std::uint64_t> count_inodes(int fd) {
  std::array<unsigned char, kSuperSize> super{};
  const ssize_t got = ::pread(fd, super.data(), super.size(), kSuperOffset);
  if (got < 0) return fail_errno("read a layer's file");
  const auto number = [&](std::size_t at, std::size_t size) {
    std::uint64_t value = 0;
    for (std::size_t i = size; i-- > 0;) value = value << 8 | super[at + i];
    return value;
  };
  if (got != static_cast<ssize_t>(super.size()) || number(0, 4) != kMagic) {
    return fail(ErrorKind::kCorrupt, "a layer's file is no erofs");
  }
  return number(16, 8);
}

}  // namespace berth::image::erofs
