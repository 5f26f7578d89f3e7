// Writer: makes a file that is an erofs file system, in one pass and without going back but for the
// number of a file's names. It knows inodes and their data; names are directory.h's. Memory: one
// extent of inodes.
//
// An inode is reserved, then put, then given its data; inodes are put in the order in which they
// were reserved, the root's last. One thread at a time. After an error the file is of no use.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "image/erofs/format.h"

namespace berth::image::erofs {

using Xattrs = std::vector<std::pair<std::string, std::string>>;

struct Attributes {
  mode_t mode = 0;  // with the type
  uid_t uid = 0;
  gid_t gid = 0;
  timespec mtime{};
  Xattrs xattrs = {};
};

/// kInvalid: an attribute that the kernel would not take, as its file systems do when one is set.
/// kExhausted: they have more than kMaxXattrs bytes.
Result<void> check_xattrs(const Xattrs& xattrs);

/// An inode's room: where it, its attributes and its data are.
struct Place {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;        // of the data
  std::uint32_t block = 0;       // of the data, the first
  std::uint32_t tail = 0;        // bytes at its end that are behind the inode
  std::uint32_t inode_size = 0;  // with attributes
  std::uint64_t number() const { return offset / kSlot; }
};

class Writer {
 public:
  /// Into the empty regular file `fd`, borrowed.
  explicit Writer(int fd) : fd_(fd), extent_(kExtent) {}

  /// Attributes that check_xattrs() has found good. kExhausted: the file system would be too large.
  Result<Place> reserve(const Attributes& attributes, std::uint64_t size);
  Result<Place> reserve_root(const Attributes& attributes, std::uint64_t size);
  Result<void> put_inode(const Place& place, const Attributes& attributes, std::uint32_t links,
                         std::uint32_t device);
  /// Bytes of an inode's data that begin at `offset`, inside its size; what is never put is zeros,
  /// and takes no space in the file unless it is behind the inode.
  Result<void> put_data(const Place& place, std::uint64_t offset, std::span<const std::byte> bytes);
  /// Of an inode put before.
  Result<void> set_links(std::uint64_t number, std::uint32_t links);
  /// Everything is there: the superblock. Nothing is fsynced.
  Result<void> finish();

 private:
  Result<std::uint64_t> take_blocks(std::uint64_t count);
  Result<void> place_inode(Place& place);
  Result<void> place_data(Place& place);
  Result<void> put_metadata(std::uint64_t offset, std::span<const std::byte> bytes);
  Result<void> flush();

  int fd_;
  std::uint64_t blocks_ = (kRootOffset + kExtent) / kBlock;  // taken so far
  std::uint64_t free_ = 0;                                   // for the next inode
  std::uint64_t free_end_ = 0;
  std::vector<std::byte> extent_;  // the one that is being filled
  std::uint64_t extent_start_ = 0;
  std::size_t extent_used_ = 0;
  std::uint64_t inodes_ = 0;
};

/// As an inode has it: include/linux/kdev_t.h, new_encode_dev().
inline std::uint32_t device_number(unsigned major, unsigned minor) {
  return (minor & 0xff) | major << 8 | (minor & ~0xffU) << 12;
}

/// How many inodes the file system in `fd` has. kCorrupt: there is none.
Result<std::uint64_t> count_inodes(int fd);

/// The bytes of a symbolic link's target, or of anything else that is text.
inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace berth::image::erofs
