#include "image/archive/rooted_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <utility>

#include "image/archive/entry_path.h"
#include "image/archive/node_attributes.h"
#include "sys/dir.h"
#include "sys/file.h"

namespace berth::image {
namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY;
/// As many as the kernel follows in one path (path_resolution(7)).
constexpr int kMaxLinks = 40;
/// Directories looked up on the slow way, for one layer, in all layers below it too. A layer that
/// lists its directories needs none; this many take minutes.
constexpr std::uint64_t kMaxLookups = 100'000'000;

Result<UniqueFd> open_real(int root, const std::string& path) {
  return sys::open_beneath(root, path.empty() ? "." : path, kDirectory);
}

std::string joined(std::string_view parent, std::string_view rest) {
  if (parent.empty()) return std::string(rest);
  return fmt::format("{}/{}", parent, rest);
}

}  // namespace

bool RootedTree::is_opaque(int dirfd) const {
  return whiteouts_ != nullptr && whiteouts_->is_opaque(dirfd);
}

/// The directories called `name` in those of `below`, as an overlay merges them: whatever is not a
/// directory, and an opaque one, hides all that is further down.
std::vector<UniqueFd> RootedTree::merged_below(const std::vector<UniqueFd>& below,
                                               const std::string& name) const {
  std::vector<UniqueFd> found;
  for (const UniqueFd& lower : below) {
    auto dir = sys::open_dir_at(lower.get(), name);
    if (!dir.ok() && dir.error().os_errno() == ENOENT) {
      if (whiteouts_ != nullptr && whiteouts_->is_removed(lower.get(), name)) break;
      continue;
    }
    if (!dir.ok()) break;
    found.push_back(std::move(*dir));
    if (is_opaque(found.back().get())) break;
  }
  return found;
}

Result<RootedTree::Place> RootedTree::place(std::string_view clean) {
  const auto [parent, name] = split_path(clean);
  if (!parent_fd_.valid() || parent != parent_) {
    parent_fd_.reset();
    parent_ = parent;
    if (auto real = open_real(root_, parent_); real.ok()) {  // no link is in the way
      real_parent_ = parent_;
      parent_fd_ = std::move(*real);
    } else {
      Walk walked = TRY(walk(parent_, true));
      real_parent_ = std::move(walked.real);
      parent_fd_ = std::move(walked.at);
    }
    if (whiteouts_ != nullptr) TRY(whiteouts_->entered(parent_fd_.get()));
  }
  return Place{parent_fd_.get(), std::string(name), joined(real_parent_, name)};
}

Result<bool> RootedTree::is_merged() {
  if (lowers_.empty()) return true;
  return !TRY(walk(real_parent_, false)).below.empty();
}

Result<RootedTree::Found> RootedTree::find(std::string_view clean) {
  const auto [parent, name] = split_path(clean);
  if (auto real = open_real(root_, std::string(parent)); real.ok()) {
    return Found{std::move(*real), std::string(name)};
  }
  return Found{TRY(walk(parent, false)).at, std::string(name)};
}

Result<RootedTree::Walk> RootedTree::walk(std::string_view parent, bool make) {
  Walk walk;
  TRY(begin(walk, std::string(parent)));
  while (!walk.rest.empty()) {
    lookups_ += 1 + walk.below.size();
    if (lookups_ > kMaxLookups) {
      return fail(ErrorKind::kExhausted, "its paths lead through too many directories");
    }
    TRY(step(walk, make));
  }
  return walk;
}

Result<void> RootedTree::begin(Walk& walk, std::string path) const {
  if (path.size() > kMaxEntryPath) {
    return fail(ErrorKind::kInvalid, "links lead to a path longer than {} bytes", kMaxEntryPath);
  }
  walk.rest = std::move(path);
  walk.real.clear();
  walk.at = TRY(open_real(root_, ""));
  walk.below.clear();
  if (is_opaque(walk.at.get())) return {};
  for (const int lower : lowers_) {
    walk.below.push_back(TRY(open_real(lower, "")));
    if (is_opaque(lower)) break;
  }
  return {};
}

Result<void> RootedTree::step(Walk& walk, bool make) {
  const auto end = std::min(walk.rest.find('/'), walk.rest.size());
  const std::string name = walk.rest.substr(0, end);
  walk.rest.erase(0, std::min(end + 1, walk.rest.size()));
  if (name.empty() || name == ".") return {};
  if (name == "..") {
    return begin(walk, joined(split_path(walk.real).parent, std::exchange(walk.rest, {})));
  }
  struct stat st{};
  const bool there = ::fstatat(walk.at.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0;
  if (!there && errno != ENOENT) return fail_errno("stat {}", quote_name(name));
  if (there && S_ISDIR(st.st_mode)) return enter(walk, name);
  if (there && (whiteouts_ == nullptr || whiteouts_->holds(st))) {
    if (S_ISLNK(st.st_mode)) return follow(walk, name);
    return Error::from_errno(ENOTDIR, quote_name(joined(walk.real, name)));
  }
  if (!make) return Error::from_errno(ENOENT, quote_name(joined(walk.real, name)));
  if (there && ::unlinkat(walk.at.get(), name.c_str(), 0) != 0) {
    return fail_errno("remove {}", quote_name(name));
  }
  return imply(walk, name, there);
}

Result<void> RootedTree::follow(Walk& walk, const std::string& name) const {
  if (++walk.links > kMaxLinks) {
    return Error::from_errno(ELOOP, quote_name(joined(walk.real, name)));
  }
  char target[PATH_MAX];
  const ssize_t length = ::readlinkat(walk.at.get(), name.c_str(), target, sizeof target);
  if (length < 0) return fail_errno("read link {}", quote_name(name));
  const std::string_view text(target, static_cast<std::size_t>(length));
  std::string path = walk.rest.empty() ? std::string(text) : fmt::format("{}/{}", text, walk.rest);
  if (!text.starts_with('/')) path = joined(walk.real, path);
  return begin(walk, std::move(path));
}

/// `was_hidden`: a mark was here that what is below is gone, or something of below that is now
/// replaced.
Result<void> RootedTree::imply(Walk& walk, const std::string& name, bool was_hidden) {
  if (::mkdirat(walk.at.get(), name.c_str(), 0755) != 0) {
    return fail_errno("make directory {}", quote_name(joined(walk.real, name)));
  }
  if (was_hidden) {
    const UniqueFd made = TRY(sys::open_dir_at(walk.at.get(), name));
    TRY(whiteouts_->make_opaque(made.get()));
  }
  TRY(enter(walk, name));
  if (!walk.below.empty()) return copy_attributes(walk.below.front().get(), walk.at.get());
  if (::fchmod(walk.at.get(), 0755) != 0) return fail_errno("set mode");
  return {};
}

Result<void> RootedTree::enter(Walk& walk, const std::string& name) const {
  UniqueFd next = TRY(sys::open_dir_at(walk.at.get(), name));
  if (is_opaque(next.get())) {
    walk.below.clear();
  } else {
    walk.below = merged_below(walk.below, name);
  }
  walk.at = std::move(next);
  walk.real = joined(walk.real, name);
  return {};
}

}  // namespace berth::image
