// The erofs file system on disk, as far as it is written here: blocks of 4 KiB, inodes of 64 bytes,
// data that is not compressed and whose last part may lie behind its inode. All numbers are little
// endian. Sources: Linux, filesystems/erofs.rst and fs/erofs/erofs_fs.h.
//
//   block 0            the superblock, at 1024
//   kRootOffset        the root's inode, in room for the largest there can be
//   from there on      extents of inodes (with attributes and ends of data), and blocks of data,
//                      in the order in which they came; directories last
//
// An inode's number is its offset / 32. It is followed by its extended attributes (a header of 12
// bytes, then each: length of name, kind of prefix, length of value, name, value, to 4 bytes) and
// by the end of its data, which crosses no block.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace berth::image::erofs {

inline constexpr std::uint64_t kBlock = 4096;
inline constexpr std::uint64_t kSlot = 32;  // what inodes are aligned to
inline constexpr std::uint64_t kSuperOffset = 1024;
inline constexpr std::size_t kSuperSize = 128;
inline constexpr std::uint32_t kMagic = 0xE0F5E1E2;
/// The superblock has a checksum; inodes have times of their own.
inline constexpr std::uint32_t kFeatures = 0x1 | 0x2;
inline constexpr std::size_t kInodeSize = 64;
inline constexpr std::size_t kLinksOffset = 44;  // of i_nlink in an inode
inline constexpr std::size_t kXattrHeader = 12;
inline constexpr std::size_t kXattrEntry = 4;
inline constexpr std::size_t kDirent = 12;
inline constexpr std::size_t kMaxName = 255;

/// Inodes are laid out in extents of this size, and none is larger: it is what is kept in memory.
inline constexpr std::uint64_t kExtent = 64U << 10;
inline constexpr std::uint64_t kRootOffset = kBlock;
/// The superblock has 16 bits for the root's number.
static_assert(kRootOffset / kSlot < 0x10000);
/// One inode's attributes, headers included. ext4 takes less than a block.
inline constexpr std::size_t kMaxXattrs = kExtent - 2 * kBlock;

enum class Layout : std::uint16_t { kPlain = 0, kInline = 2 };
inline constexpr std::uint16_t kExtended = 1;  // i_format: an inode of 64 bytes
inline constexpr int kLayoutShift = 1;

enum class FileType : std::uint8_t {
  kRegular = 1,
  kDirectory,
  kCharDevice,
  kBlockDevice,
  kFifo,
  kSocket,
  kSymlink
};

/// Writes numbers and bytes one after the other into a buffer that is large enough.
class Put {
 public:
  explicit Put(std::byte* at) : at_(at) {}
  template <typename Number>
  Put& number(Number value) {
    for (std::size_t i = 0; i < sizeof value; ++i) {
      *at_++ = static_cast<std::byte>(static_cast<std::uint64_t>(value) >> (8 * i));
    }
    return *this;
  }
  Put& zeros(std::size_t count) {
    while (count-- > 0) *at_++ = std::byte{0};
    return *this;
  }

 private:
  std::byte* at_;
};

}  // namespace berth::image::erofs
