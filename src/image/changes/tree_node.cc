#include "image/changes/tree_node.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "image/archive/entry_path.h"
#include "image/archive/node_attributes.h"
#include "sys/file.h"

namespace berth::image {
namespace {

constexpr std::size_t kCompareBuffer = 128U << 10;
/// Most values are far shorter; who has a longer one is asked again.
constexpr std::size_t kUsualXattr = 256;

/// The magic link of an O_PATH descriptor leads to the node itself, a symbolic link included.
std::string own_path(int fd) {
  return fmt::format("/proc/self/fd/{}", fd);
}

/// Nothing if the attribute has gone meanwhile.
Result<std::optional<std::string>> read_xattr(const std::string& path, const std::string& name) {
  std::string value(kUsualXattr, '\0');
  ssize_t size = ::getxattr(path.c_str(), name.c_str(), value.data(), value.size());
  if (size < 0 && errno == ERANGE) {
    value.resize(XATTR_SIZE_MAX);
    size = ::getxattr(path.c_str(), name.c_str(), value.data(), value.size());
  }
  if (size < 0 && errno == ENODATA) return std::optional<std::string>();
  if (size < 0) return fail_errno("read extended attribute {}", quote_name(name));
  value.resize(static_cast<std::size_t>(size));
  return std::optional(std::move(value));
}

Result<void> read_xattrs(TreeNode& node) {
  const std::string path = own_path(node.fd.get());
  ssize_t size = ::listxattr(path.c_str(), nullptr, 0);
  if (size == 0 || (size < 0 && errno == ENOTSUP)) return {};
  std::string listed(XATTR_LIST_MAX, '\0');
  size = ::listxattr(path.c_str(), listed.data(), listed.size());
  if (size < 0) return fail_errno("list extended attributes");
  std::size_t total = 0;
  std::string_view rest(listed.data(), static_cast<std::size_t>(size));
  while (!rest.empty()) {
    const std::string name(rest.substr(0, rest.find('\0')));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    if (!is_image_xattr(name)) continue;
    auto value = TRY(read_xattr(path, name));
    if (!value) continue;
    total += name.size() + value->size();
    if (total > kMaxXattrBytes) {
      return fail(ErrorKind::kExhausted, "its extended attributes exceed {} bytes", kMaxXattrBytes);
    }
    node.xattrs.emplace_back(name, std::move(*value));
  }
  std::ranges::sort(node.xattrs);
  return {};
}

Result<void> read_target(TreeNode& node) {
  char target[PATH_MAX];
  const ssize_t length = ::readlinkat(node.fd.get(), "", target, sizeof target);
  if (length < 0) return fail_errno("read link");
  node.target.assign(target, static_cast<std::size_t>(length));
  return {};
}

bool same_time(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

Result<std::size_t> read_full(int fd, std::vector<char>& into) {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t got = ::read(fd, into.data() + done, into.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("read");
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

}  // namespace

Result<std::optional<TreeNode>> open_node(int dirfd, const std::string& name) {
  auto opened = sys::open_beneath(dirfd, name, O_PATH | O_NOFOLLOW);
  if (!opened.ok()) {
    if (opened.error().os_errno() == ENOENT) return std::optional<TreeNode>();
    if (opened.error().os_errno() == EXDEV) {
      return fail(ErrorKind::kConflict, "{} is a mount point", quote_name(name));
    }
    return std::move(opened).error();
  }
  TreeNode node{.fd = std::move(*opened)};
  if (::fstat(node.fd.get(), &node.st) != 0) return fail_errno("stat {}", quote_name(name));
  if (S_ISLNK(node.st.st_mode)) TRY(read_target(node).context(quote_name(name)));
  TRY(read_xattrs(node).context(quote_name(name)));
  return std::optional(std::move(node));
}

Result<UniqueFd> open_for_reading(const TreeNode& node) {
  if (node.is_directory()) return sys::open_at(node.fd.get(), ".", O_RDONLY | O_DIRECTORY);
  return sys::open_file(own_path(node.fd.get()), O_RDONLY | O_NOCTTY);
}

bool same_facts(const TreeNode& a, const TreeNode& b) {
  if (a.st.st_mode != b.st.st_mode || a.st.st_uid != b.st.st_uid || a.st.st_gid != b.st.st_gid ||
      a.xattrs != b.xattrs) {
    return false;
  }
  // What a directory holds says by itself that it has changed.
  if (a.is_directory()) return true;
  const bool device = S_ISCHR(a.st.st_mode) || S_ISBLK(a.st.st_mode);
  return a.st.st_size == b.st.st_size && same_time(a.st.st_mtim, b.st.st_mtim) &&
         a.target == b.target && (!device || a.st.st_rdev == b.st.st_rdev);
}

Result<bool> same_bytes(const TreeNode& a, const TreeNode& b) {
  const UniqueFd first = TRY(open_for_reading(a));
  const UniqueFd second = TRY(open_for_reading(b));
  std::vector<char> left(kCompareBuffer);
  std::vector<char> right(kCompareBuffer);
  for (;;) {
    const std::size_t got = TRY(read_full(first.get(), left));
    if (TRY(read_full(second.get(), right)) != got) return false;
    if (std::memcmp(left.data(), right.data(), got) != 0) return false;
    if (got < left.size()) return true;
  }
}

}  // namespace berth::image
