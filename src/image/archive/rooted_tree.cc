#include "image/archive/rooted_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "image/archive/entry_path.h"
#include "sys/dir.h"
#include "sys/file.h"

namespace berth::image {
namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY;

Result<UniqueFd> open_directory(int root, const std::string& path) {
  return sys::open_in_root(root, path.empty() ? "." : path, kDirectory);
}

}  // namespace

Result<RootedTree::Place> RootedTree::place(std::string_view clean) {
  const auto [parent, name] = split_path(clean);
  if (!parent_fd_.valid() || parent != parent_) {
    parent_fd_.reset();
    parent_ = parent;
    auto opened = open_directory(root_, parent_);
    if (!opened.ok() && opened.error().os_errno() == ENOENT) opened = make_parents(parent_);
    if (!opened.ok()) return std::move(opened).error();
    parent_fd_ = std::move(*opened);
  }
  return Place{parent_fd_.get(), std::string(name)};
}

Result<RootedTree::Found> RootedTree::find(std::string_view clean) const {
  const auto [parent, name] = split_path(clean);
  return Found{TRY(open_directory(root_, std::string(parent))), std::string(name)};
}

Result<UniqueFd> RootedTree::make_parents(const std::string& parent) {
  UniqueFd at = TRY(open_directory(root_, ""));
  bool made_one = false;
  for (std::size_t begin = 0; begin < parent.size();) {
    const std::size_t end = std::min(parent.find('/', begin), parent.size());
    const std::string prefix = parent.substr(0, end);
    const std::string name = parent.substr(begin, end - begin);
    // Below a directory just made there is nothing to resolve: no symbolic link can be in the way.
    auto next =
        made_one ? Result<UniqueFd>(Error::from_errno(ENOENT, "")) : open_directory(root_, prefix);
    if (!next.ok() && next.error().os_errno() == ENOENT) {
      TRY(imply_directory(at.get(), name, prefix));
      made_one = true;
      next = sys::open_dir_at(at.get(), name);
    }
    if (!next.ok()) return std::move(next).error();
    at = std::move(*next);
    begin = end + 1;
  }
  return at;
}

Result<void> RootedTree::imply_directory(int dirfd, const std::string& name,
                                         const std::string& path) {
  if (::mkdirat(dirfd, name.c_str(), 0755) != 0)
    return fail_errno("make directory {}", quote_name(path));
  const UniqueFd made = TRY(sys::open_dir_at(dirfd, name));
  struct stat st{};
  st.st_mode = 0755;
  for (const int lower : lowers_) {
    const auto below = sys::open_in_root(lower, path, kDirectory | O_NOFOLLOW);
    if (below.ok() && ::fstat(below->get(), &st) == 0) break;
  }
  if (::fchown(made.get(), st.st_uid, st.st_gid) != 0 ||
      ::fchmod(made.get(), st.st_mode & 07777) != 0) {
    return fail_errno("set the owner of {}", quote_name(path));
  }
  return {};
}

}  // namespace berth::image
