#include "image/snapshot/tree_copy.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

#include "sys/dir.h"
#include "sys/file.h"

namespace berth::image {
namespace {

constexpr std::size_t kCopyBuffer = 128U << 10;

/// A name that *xattr(2) takes for `name` in `dirfd`; the last component is not followed by the
/// l-calls.
std::string proc_path(int dirfd, const std::string& name) {
  return fmt::format("/proc/self/fd/{}/{}", dirfd, name);
}

Result<void> copy_xattrs(const std::string& from, const std::string& to) {
  std::string names(XATTR_LIST_MAX, '\0');
  const ssize_t listed = ::llistxattr(from.c_str(), names.data(), names.size());
  if (listed < 0) {
    if (errno == ENOTSUP) return {};
    return fail_errno("list extended attributes");
  }
  names.resize(static_cast<std::size_t>(listed));
  for (const char* name = names.data(); name < names.data() + names.size();
       name += std::strlen(name) + 1) {
    std::string value(XATTR_SIZE_MAX, '\0');
    const ssize_t size = ::lgetxattr(from.c_str(), name, value.data(), value.size());
    if (size < 0) return fail_errno("read extended attribute {}", name);
    if (::lsetxattr(to.c_str(), name, value.data(), static_cast<std::size_t>(size), 0) != 0) {
      return fail_errno("set extended attribute {}", name);
    }
  }
  return {};
}

/// Copies `length` bytes at `offset`, in the kernel if both sides can.
Result<void> copy_range(int from, int to, off_t offset, off_t length) {
  off_t in = offset;
  off_t out = offset;
  const off_t end = offset + length;
  while (in < end) {
    const ssize_t copied =
        ::copy_file_range(from, &in, to, &out, static_cast<std::size_t>(end - in), 0);
    if (copied > 0) continue;
    if (copied == 0) return fail(ErrorKind::kInternal, "the file became shorter during the copy");
    if (errno == EINTR) continue;
    if (errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP && errno != ENOSYS) {
      return fail_errno("copy data");
    }
    break;
  }
  std::vector<std::byte> buffer(in < end ? kCopyBuffer : 0);
  while (in < end) {
    const auto want = std::min<std::size_t>(buffer.size(), static_cast<std::size_t>(end - in));
    const ssize_t got = ::pread(from, buffer.data(), want, in);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail_errno("read data");
    const ssize_t put = ::pwrite(to, buffer.data(), static_cast<std::size_t>(got), in);
    if (put < 0 && errno != EINTR) return fail_errno("write data");
    if (put > 0) in += put;
  }
  return {};
}

class Copy final : public sys::TreeVisitor {
 public:
  explicit Copy(UniqueFd to) : to_(std::move(to)) {}

  Result<void> file(int dirfd, const std::string& name, unsigned char) override {
    return copy_node(dirfd, name).context(fmt::format("copy {}{}", path_, name));
  }

  Result<void> enter(int, const std::string& name, int) override {
    path_ += name + "/";
    if (::mkdirat(to_.get(), name.c_str(), 0700) != 0)
      return fail_errno("make directory {}", path_);
    to_ = TRY(sys::open_dir_at(to_.get(), name));
    return {};
  }

  Result<void> leave(int dirfd, const std::string& name) override {
    // Nobody moves directories of a tree that is being built: ".." is where we came from.
    to_ = TRY(sys::open_at(to_.get(), "..", O_RDONLY | O_DIRECTORY));
    path_.resize(path_.size() - name.size() - 1);
    struct stat st{};
    if (::fstatat(dirfd, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0)
      return fail_errno("stat {}", name);
    return copy_attributes(dirfd, name, st).context(fmt::format("copy {}{}", path_, name));
  }

  /// Of the directory that is copied to, by its descriptor's own name.
  Result<void> copy_attributes(int dirfd, const std::string& name, const struct stat& st) {
    if (::fchownat(to_.get(), name.c_str(), st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) != 0) {
      return fail_errno("set owner");
    }
    if (!S_ISLNK(st.st_mode) && ::fchmodat(to_.get(), name.c_str(), st.st_mode & 07777, 0) != 0) {
      return fail_errno("set mode");
    }
    TRY(copy_xattrs(proc_path(dirfd, name), proc_path(to_.get(), name)));
    const timespec times[2] = {st.st_atim, st.st_mtim};
    if (::utimensat(to_.get(), name.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) {
      return fail_errno("set time");
    }
    return {};
  }

 private:
  Result<void> copy_node(int dirfd, const std::string& name) {
    struct stat st{};
    if (::fstatat(dirfd, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) return fail_errno("stat");
    if (st.st_nlink > 1) {
      const auto [first, is_first] = links_.try_emplace(st.st_ino, path_ + name);
      if (!is_first) return link_to(first->second, name);
    }
    switch (st.st_mode & S_IFMT) {
      case S_IFREG:
        TRY(copy_data(dirfd, name, st));
        break;
      case S_IFLNK:
        TRY(copy_symlink(dirfd, name));
        break;
      default:
        if (::mknodat(to_.get(), name.c_str(), st.st_mode & (S_IFMT | 0600), st.st_rdev) != 0) {
          return fail_errno("make node");
        }
    }
    return copy_attributes(dirfd, name, st);
  }

  /// `first` is relative to the root of the copy, which is as many directories up as the path has
  /// components.
  Result<void> link_to(const std::string& first, const std::string& name) {
    std::string target;
    for (const char c : path_) {
      if (c == '/') target += "../";
    }
    target += first;
    if (::linkat(to_.get(), target.c_str(), to_.get(), name.c_str(), 0) != 0)
      return fail_errno("link");
    return {};
  }

  Result<void> copy_symlink(int dirfd, const std::string& name) {
    char target[PATH_MAX];
    const ssize_t length = ::readlinkat(dirfd, name.c_str(), target, sizeof target - 1);
    if (length < 0) return fail_errno("read link");
    target[length] = '\0';
    if (::symlinkat(target, to_.get(), name.c_str()) != 0) return fail_errno("make link");
    return {};
  }

  Result<void> copy_data(int dirfd, const std::string& name, const struct stat& st) {
    const UniqueFd from = TRY(sys::open_at(dirfd, name, O_RDONLY | O_NOFOLLOW));
    const UniqueFd to = TRY(sys::open_at(to_.get(), name, O_WRONLY | O_CREAT | O_EXCL, 0600));
    if (can_share_ && ::ioctl(to.get(), FICLONE, from.get()) == 0) return {};
    can_share_ = false;
    if (::ftruncate(to.get(), st.st_size) != 0) return fail_errno("set size");
    for (off_t at = 0; at < st.st_size;) {
      const off_t data = ::lseek(from.get(), at, SEEK_DATA);
      if (data < 0) {
        if (errno == ENXIO) break;  // a hole up to the end
        return fail_errno("find data");
      }
      const off_t hole = ::lseek(from.get(), data, SEEK_HOLE);
      if (hole < 0) return fail_errno("find hole");
      TRY(copy_range(from.get(), to.get(), data, hole - data));
      at = hole;
    }
    return {};
  }

  UniqueFd to_;       // the directory that corresponds to the one the walk is in
  std::string path_;  // of that directory: "" or "a/b/"
  std::unordered_map<ino_t, std::string> links_;  // the first name of each file that has several
  bool can_share_ = true;                         // until the file system says no
};

}  // namespace

Result<void> copy_tree(int from, int to) {
  Copy copy(TRY(sys::open_at(to, ".", O_RDONLY | O_DIRECTORY)));
  TRY(sys::walk_tree(from, copy));
  struct stat st{};
  if (::fstat(from, &st) != 0) return fail_errno("stat");
  return copy.copy_attributes(from, ".", st);
}

}  // namespace berth::image
