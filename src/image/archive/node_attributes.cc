#include "image/archive/node_attributes.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "image/archive/entry_path.h"

namespace berth::image {
namespace {

constexpr auto kAllowed = std::to_array<std::string_view>({
    "security.capability",
    "system.posix_acl_access",
    "system.posix_acl_default",
});
constexpr auto kAllowedPrefixes = std::to_array<std::string_view>({"user.", "trusted."});
constexpr auto kOverlayPrefixes =
    std::to_array<std::string_view>({"user.overlay.", "trusted.overlay.", "user.fuseoverlayfs."});

bool has_prefix(std::string_view name, std::span<const std::string_view> prefixes) {
  return std::ranges::any_of(prefixes, [&](auto prefix) { return name.starts_with(prefix); });
}

/// Calls `set(name, value)`, which returns as setxattr(2) does, for every attribute an image may
/// set.
template <typename Set>
Result<void> set_xattrs(const TarEntry& entry, Set set) {
  std::size_t total = 0;
  for (const auto& [name, value] : entry.xattrs) {
    total += name.size() + value.size();
    if (total > kMaxXattrBytes) {
      return fail(ErrorKind::kExhausted, "its extended attributes exceed {} bytes", kMaxXattrBytes);
    }
    if (!is_image_xattr(name) || set(name.c_str(), value) == 0) continue;
    // user.* does not exist on links and devices (xattr(7)), and a file system may have none at
    // all: the tree is of use without them. A lost capability is not: the program would fail in a
    // way nobody understands.
    if ((errno == ENOTSUP || errno == EPERM) && name != "security.capability") continue;
    return fail_errno("set extended attribute {}", quote_name(name));
  }
  return {};
}

/// The names of what the node has and an image may set.
Result<std::vector<std::string>> image_xattrs(int fd) {
  std::string listed(XATTR_LIST_MAX, '\0');
  const ssize_t size = ::flistxattr(fd, listed.data(), listed.size());
  std::vector<std::string> names;
  if (size < 0 && errno == ENOTSUP) return names;
  if (size < 0) return fail_errno("list extended attributes");
  std::string_view rest(listed.data(), static_cast<std::size_t>(size));
  while (!rest.empty()) {
    const auto name = rest.substr(0, rest.find('\0'));
    if (is_image_xattr(name)) names.emplace_back(name);
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
  }
  return names;
}

}  // namespace

bool is_image_xattr(std::string_view name) {
  if (has_prefix(name, kOverlayPrefixes)) return false;
  return has_prefix(name, kAllowedPrefixes) || std::ranges::find(kAllowed, name) != kAllowed.end();
}

Result<void> set_attributes(int fd, const TarEntry& entry) {
  // Most are right already, and a look is cheaper than a change that changes nothing.
  struct stat st{};
  if (::fstat(fd, &st) != 0) return fail_errno("stat");
  const bool is_theirs = st.st_uid == entry.uid && st.st_gid == entry.gid;
  if (!is_theirs && ::fchown(fd, entry.uid, entry.gid) != 0) return fail_errno("set owner");
  if ((!is_theirs || (st.st_mode & 07777) != entry.mode) && ::fchmod(fd, entry.mode) != 0)
    return fail_errno("set mode");
  TRY(set_xattrs(entry, [&](const char* name, const std::string& value) {
    return ::fsetxattr(fd, name, value.data(), value.size(), 0);
  }));
  const timespec times[2] = {entry.mtime, entry.mtime};
  if (::futimens(fd, times) != 0) return fail_errno("set time");
  return {};
}

Result<void> set_attributes_at(int dirfd, const std::string& name, const TarEntry& entry) {
  if (::fchownat(dirfd, name.c_str(), entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW) != 0) {
    return fail_errno("set owner");
  }
  // A symbolic link has no mode, and fchmodat(2) would follow it.
  if (entry.kind != TarEntry::Kind::kSymlink &&
      ::fchmodat(dirfd, name.c_str(), entry.mode, 0) != 0) {
    return fail_errno("set mode");
  }
  // There is no *xattrat call before Linux 6.13; the directory's magic link and a last component
  // that is not followed come to the same.
  const std::string path = fmt::format("/proc/self/fd/{}/{}", dirfd, name);
  TRY(set_xattrs(entry, [&](const char* key, const std::string& value) {
    return ::lsetxattr(path.c_str(), key, value.data(), value.size(), 0);
  }));
  const timespec times[2] = {entry.mtime, entry.mtime};
  if (::utimensat(dirfd, name.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0)
    return fail_errno("set time");
  return {};
}

Result<void> remove_image_xattrs(int fd) {
  for (const std::string& name : TRY(image_xattrs(fd))) {
    if (::fremovexattr(fd, name.c_str()) != 0 && errno != ENODATA) {
      return fail_errno("remove extended attribute {}", quote_name(name));
    }
  }
  return {};
}

Result<void> copy_attributes(int from, int to) {
  struct stat st{};
  if (::fstat(from, &st) != 0) return fail_errno("stat");
  if (::fchown(to, st.st_uid, st.st_gid) != 0) return fail_errno("set owner");
  if (::fchmod(to, st.st_mode & 07777) != 0) return fail_errno("set mode");
  for (const std::string& name : TRY(image_xattrs(from))) {
    std::string value(XATTR_SIZE_MAX, '\0');
    const ssize_t size = ::fgetxattr(from, name.c_str(), value.data(), value.size());
    if (size < 0 ||
        ::fsetxattr(to, name.c_str(), value.data(), static_cast<std::size_t>(size), 0) != 0) {
      return fail_errno("copy extended attribute {}", quote_name(name));
    }
  }
  return {};
}

}  // namespace berth::image
