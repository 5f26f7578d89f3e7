#include "image/snapshot/btrfs_subvolume.h"

#include <endian.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <unordered_set>
#include <vector>

#include "base/scope_exit.h"
#include "base/strong_id.h"
#include "sys/dir.h"

namespace berth::image {
namespace {

/// One call's worth of items: a few leaves of 16 KiB.
constexpr std::size_t kSearchBuffer = 256U << 10;

template <typename Args>
Result<void> set_name(Args& args, const std::string& name) {
  if (name.size() >= sizeof args.name) {
    return fail(ErrorKind::kInvalid, "a subvolume's name has at most {} bytes",
                sizeof args.name - 1);
  }
  std::ranges::copy(name, args.name);
  return {};
}

bool is_subvolume_root(const struct stat& st) {
  return S_ISDIR(st.st_mode) && st.st_ino == BTRFS_FIRST_FREE_OBJECTID;
}

Result<void> set_read_only(int subvolume, bool read_only) {
  std::uint64_t flags = 0;
  if (::ioctl(subvolume, BTRFS_IOC_SUBVOL_GETFLAGS, &flags) < 0) {
    return fail_errno("read a subvolume's flags");
  }
  const bool is_read_only = (flags & BTRFS_SUBVOL_RDONLY) != 0;
  if (is_read_only == read_only) return {};
  flags ^= BTRFS_SUBVOL_RDONLY;
  if (::ioctl(subvolume, BTRFS_IOC_SUBVOL_SETFLAGS, &flags) < 0) {
    return fail_errno("set a subvolume's flags");
  }
  return {};
}

/// Nothing can be removed in a subvolume that is read-only, nor a subvolume inside of such.
class MakeWritable final : public sys::TreeVisitor {
 public:
  Result<void> file(int, const std::string&, unsigned char) override { return {}; }
  Result<void> enter(int, const std::string& name, int opened) override {
    struct stat st{};
    if (::fstat(opened, &st) != 0) return fail_errno("stat {}", name);
    return is_subvolume_root(st) ? set_read_only(opened, false) : Result<void>();
  }
  Result<void> leave(int, const std::string&) override { return {}; }
};

/// The items of one subvolume's tree, as a buffer of BTRFS_IOC_TREE_SEARCH_V2 holds them: a header
/// in the host's byte order, then the item as it is on disk.
class ItemReader {
 public:
  explicit ItemReader(std::span<const std::byte> items) : rest_(items) {}

  /// False at the end, or where what is left is no whole item.
  bool next(btrfs_ioctl_search_header& header, std::span<const std::byte>& item) {
    if (rest_.size() < sizeof header) return false;
    std::memcpy(&header, rest_.data(), sizeof header);
    rest_ = rest_.subspan(sizeof header);
    if (rest_.size() < header.len) return false;
    item = rest_.first(header.len);
    rest_ = rest_.subspan(header.len);
    return true;
  }

 private:
  std::span<const std::byte> rest_;
};

class Measure {
 public:
  explicit Measure(std::uint64_t since) : since_(since) {}

  void count(const btrfs_ioctl_search_header& header, std::span<const std::byte> item) {
    if (header.type == BTRFS_INODE_ITEM_KEY) count_inode(header, item);
    if (header.type == BTRFS_EXTENT_DATA_KEY) count_extent(item);
  }

  SnapshotUsage usage{.bytes = 0, .inodes = 1};  // the root directory

 private:
  void count_inode(const btrfs_ioctl_search_header& header, std::span<const std::byte> item) {
    btrfs_inode_item inode{};
    if (item.size() < sizeof inode || header.objectid == BTRFS_FIRST_FREE_OBJECTID) return;
    std::memcpy(&inode, item.data(), sizeof inode);
    if (le64toh(inode.transid) >= since_) ++usage.inodes;
  }

  void count_extent(std::span<const std::byte> item) {
    constexpr std::size_t kInlineHeader = offsetof(btrfs_file_extent_item, disk_bytenr);
    btrfs_file_extent_item extent{};
    if (item.size() < kInlineHeader) return;
    std::memcpy(&extent, item.data(), std::min(item.size(), sizeof extent));
    if (le64toh(extent.generation) < since_) return;
    if (extent.type == BTRFS_FILE_EXTENT_INLINE) {
      usage.bytes += item.size() - kInlineHeader;
      return;
    }
    // 0: a hole. An extent that several places of the subvolume share is there once.
    const std::uint64_t place = le64toh(extent.disk_bytenr);
    if (item.size() < sizeof extent || place == 0 || !seen_.insert(place).second) return;
    usage.bytes += le64toh(extent.disk_num_bytes);
  }

  std::uint64_t since_;
  std::unordered_set<std::uint64_t> seen_;
};

/// The key after the last one that was found; false if there is none.
bool advance(btrfs_ioctl_search_key& key, const btrfs_ioctl_search_header& last) {
  key.min_objectid = last.objectid;
  key.min_type = last.type;
  key.min_offset = last.offset + 1;
  if (key.min_offset != 0) return true;
  if (++key.min_type <= 255) return true;
  key.min_type = 0;
  return ++key.min_objectid != 0;
}

Result<void> search(int subvolume, std::uint64_t since, Measure& measure) {
  std::vector<std::uint64_t> buffer((sizeof(btrfs_ioctl_search_args_v2) + kSearchBuffer) /
                                    sizeof(std::uint64_t));
  auto* args = reinterpret_cast<btrfs_ioctl_search_args_v2*>(buffer.data());
  btrfs_ioctl_search_key key{};  // tree_id 0: that of the descriptor
  key.min_objectid = BTRFS_FIRST_FREE_OBJECTID;
  key.max_objectid = BTRFS_LAST_FREE_OBJECTID;
  key.max_type = 255;
  key.max_offset = UINT64_MAX;
  key.min_transid = since;
  key.max_transid = UINT64_MAX;
  for (;;) {
    key.nr_items = UINT32_MAX;
    args->key = key;
    args->buf_size = kSearchBuffer;
    if (::ioctl(subvolume, BTRFS_IOC_TREE_SEARCH_V2, args) < 0) {
      return fail_errno("search a subvolume's tree");
    }
    if (args->key.nr_items == 0) return {};
    const std::span all(reinterpret_cast<const std::byte*>(args->buf), kSearchBuffer);
    ItemReader items(all);
    btrfs_ioctl_search_header header{};
    std::span<const std::byte> item;
    for (std::uint32_t i = 0; i < args->key.nr_items && items.next(header, item); ++i) {
      measure.count(header, item);
    }
    if (!advance(key, header)) return {};
  }
}

Result<void> try_subvolume(int dirfd) {
  const std::string name = "new-probe-" + random_hex(8);
  TRY(create_subvolume(dirfd, name));
  return remove_subvolume(dirfd, name);
}

}  // namespace

Result<void> create_subvolume(int dirfd, const std::string& name) {
  btrfs_ioctl_vol_args_v2 args{};
  TRY(set_name(args, name));
  if (::ioctl(dirfd, BTRFS_IOC_SUBVOL_CREATE_V2, &args) < 0) return fail_errno("make a subvolume");
  if (::fchmodat(dirfd, name.c_str(), 0755, 0) != 0) return fail_errno("set mode of {}", name);
  return {};
}

Result<void> snapshot_subvolume(int source, int dirfd, const std::string& name) {
  btrfs_ioctl_vol_args_v2 args{};
  args.fd = source;
  TRY(set_name(args, name));
  if (::ioctl(dirfd, BTRFS_IOC_SNAP_CREATE_V2, &args) < 0) return fail_errno("make a snapshot");
  return {};
}

Result<void> make_subvolume_read_only(int subvolume) {
  return set_read_only(subvolume, true);
}

Result<void> remove_subvolume(int dirfd, const std::string& name) {
  struct stat st{};
  if (::fstatat(dirfd, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? Result<void>() : fail_errno("stat {}", name);
  }
  if (!is_subvolume_root(st)) return {};
  btrfs_ioctl_vol_args args{};
  TRY(set_name(args, name));
  if (::ioctl(dirfd, BTRFS_IOC_SNAP_DESTROY, &args) >= 0 || errno == ENOENT) return {};
  if (errno != ENOTEMPTY) return fail_errno("remove subvolume {}", name);
  // Subvolumes are inside of it. rmdir(2) removes an empty one.
  const UniqueFd subvolume = TRY(sys::open_dir_at(dirfd, name));
  TRY(set_read_only(subvolume.get(), false));
  MakeWritable make_writable;
  TRY(sys::walk_tree(subvolume.get(), make_writable));
  return sys::remove_tree(dirfd, name);
}

Result<SnapshotUsage> measure_subvolume(int subvolume) {
  btrfs_ioctl_get_subvol_info_args info{};
  // Some kernels return 1 for success.
  if (::ioctl(subvolume, BTRFS_IOC_GET_SUBVOL_INFO, &info) < 0) {
    return fail_errno("read a subvolume's description");
  }
  const bool is_snapshot =
      std::ranges::any_of(info.parent_uuid, [](std::uint8_t byte) { return byte != 0; });
  // A snapshot is made while its transaction commits: what comes later has a later number.
  const std::uint64_t since = is_snapshot ? info.otransid + 1 : 0;
  Measure measure(since);
  TRY(search(subvolume, since, measure));
  return measure.usage;
}

Result<void> probe_btrfs(const std::string& dir) {
  const UniqueFd root = TRY(sys::open_dir(dir));
  struct statfs kind{};
  if (::fstatfs(root.get(), &kind) != 0) return fail_errno("look at the file system of {}", dir);
  if (kind.f_type != BTRFS_SUPER_MAGIC) {
    return fail(ErrorKind::kUnsupported,
                "{} is not on a btrfs file system, which the btrfs storage driver needs (use the "
                "overlay2 storage driver, or put the data root on btrfs)",
                dir);
  }
  auto tried = try_subvolume(root.get());
  if (tried.ok()) return {};
  return std::move(tried)
      .error()
      .with_kind(ErrorKind::kUnsupported)
      .context(fmt::format("subvolumes cannot be made and removed in {} (use the overlay2 storage "
                           "driver)",
                           dir));
}

}  // namespace berth::image
