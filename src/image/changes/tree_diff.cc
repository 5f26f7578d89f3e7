#include "image/changes/tree_diff.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "image/archive/entry_path.h"
#include "image/archive/whiteout.h"
#include "sys/dir.h"
#include "sys/file.h"

namespace berth::image {
namespace {

/// Directories from the root to here that are kept open; those further up are opened again by their
/// paths when the walk comes back to them.
constexpr std::size_t kMaxOpenLevels = 32;

struct Name {
  std::string name;
  bool in_tree = false;  // or only in the base
};

std::vector<std::string> sorted_names(const std::vector<sys::DirEntry>& entries) {
  std::vector<std::string> names;
  names.reserve(entries.size());
  for (const sys::DirEntry& entry : entries) names.push_back(entry.name);
  std::ranges::sort(names);
  return names;
}

/// Both are in order.
std::vector<Name> merged(std::vector<std::string> tree, std::vector<std::string> base) {
  std::vector<Name> names;
  names.reserve(std::max(tree.size(), base.size()));
  auto below = base.begin();
  for (std::string& name : tree) {
    for (; below != base.end() && *below < name; ++below)
      names.push_back({std::move(*below), false});
    if (below != base.end() && *below == name) ++below;
    names.push_back({std::move(name), true});
  }
  for (; below != base.end(); ++below) names.push_back({std::move(*below), false});
  return names;
}

class TreeDiff {
 public:
  TreeDiff(int tree, int base, const TreeDiffOptions& options, ChangeVisitor& visitor)
      : tree_(tree), base_(base), options_(options), visitor_(visitor) {}

  Result<void> run() {
    TRY(begin());
    while (!levels_.empty()) {
      Level& level = levels_.back();
      if (level.at < level.names.size()) {
        const Name name = std::move(level.names[level.at++]);
        const std::string path = level.prefix + name.name;
        TRY(visit(name, path).context(quote_name(path)));
      } else {
        TRY(leave());
      }
    }
    return {};
  }

 private:
  struct Level {
    std::string prefix;  // of what is in it: "", "etc/"
    UniqueFd tree;       // invalid while a deep walk below has given it up
    UniqueFd base;       // as `tree`
    bool has_base = false;
    bool opaque = false;  // the base shows nothing here, though it may have the directory
    struct stat st{};     // of `tree`
    std::optional<TreeNode> untold = {};  // itself, to be told once something in it has changed
    std::vector<Name> names = {};
    std::size_t at = 0;
  };

  Result<void> begin() {
    auto root = TRY(open_node(tree_, "."));
    if (!root) return fail(ErrorKind::kNotFound, "the tree is gone");
    Level level{.prefix = {},
                .tree = TRY(sys::open_at(tree_, ".", O_RDONLY | O_DIRECTORY)),
                .base = {},
                .has_base = base_ >= 0};
    if (level.has_base) {
      level.base = TRY(sys::open_at(base_, ".", O_RDONLY | O_DIRECTORY));
      const auto below = TRY(open_node(base_, "."));
      if (below && !same_facts(*root, *below))
        TRY(visitor_.present(ChangeKind::kModified, "", *root));
    }
    // An overlay always merges its layers' roots.
    return enter(std::move(level));
  }

  /// The names that are to be looked at: those that only the base has matter where the tree does
  /// not say by a whiteout that it lacks them.
  Result<void> enter(Level level) {
    if (::fstat(level.tree.get(), &level.st) != 0) return fail_errno("stat");
    auto names = sorted_names(TRY(sys::list_dir(level.tree.get())));
    std::vector<std::string> below;
    if (level.has_base && (!options_.overlay || level.opaque))
      below = sorted_names(TRY(sys::list_dir(level.base.get())));
    level.names = merged(std::move(names), std::move(below));
    levels_.push_back(std::move(level));
    if (levels_.size() > kMaxOpenLevels) {
      Level& above = levels_[levels_.size() - 1 - kMaxOpenLevels];
      above.tree.reset();
      above.base.reset();
    }
    return {};
  }

  Result<void> leave() {
    levels_.pop_back();
    told_ = std::min(told_, levels_.size());
    if (levels_.empty() || levels_.back().tree.valid()) return {};
    return reopen(levels_.back());
  }

  /// A directory that was moved away meanwhile is left as it is: what else it holds is elsewhere,
  /// or gone.
  Result<void> reopen(Level& level) const {
    const std::string path =
        level.prefix.empty() ? "." : level.prefix.substr(0, level.prefix.size() - 1);
    auto again = sys::open_beneath(tree_, path, O_RDONLY | O_DIRECTORY);
    struct stat st{};
    if (!again.ok() || ::fstat(again->get(), &st) != 0 || st.st_dev != level.st.st_dev ||
        st.st_ino != level.st.st_ino) {
      level.names.clear();
      level.at = 0;
      return {};
    }
    level.tree = std::move(*again);
    if (level.has_base) level.base = TRY(sys::open_beneath(base_, path, O_RDONLY | O_DIRECTORY));
    return {};
  }

  Result<void> visit(const Name& name, const std::string& path) {
    if (path.size() > kMaxEntryPath) {
      return fail(ErrorKind::kUnsupported, "its path is longer than {} bytes", kMaxEntryPath);
    }
    if (!name.in_tree) return gone(path);
    const Level& level = levels_.back();
    auto node = TRY(open_node(level.tree.get(), name.name));
    if (!node) return {};  // removed meanwhile
    std::optional<TreeNode> below;
    if (level.has_base) below = TRY(open_node(level.base.get(), name.name));
    if (below && is_overlay_whiteout(below->st)) below.reset();
    if (is_overlay_whiteout(node->st)) return below ? gone(path) : Result<void>();
    if (node->is_directory()) return visit_directory(path, std::move(*node), std::move(below));
    if (below ? TRY(unchanged(*node, *below)) : is_mount_point(path, *node)) return {};
    TRY(tell_above());
    return visitor_.present(below ? ChangeKind::kModified : ChangeKind::kAdded, path, *node);
  }

  Result<void> gone(const std::string& path) {
    TRY(tell_above());
    return visitor_.deleted(path);
  }

  /// A file is copied up to an overlay's upper layer when it is opened for writing, whether written
  /// to or not; and who writes to it can set the old time again.
  Result<bool> unchanged(const TreeNode& node, const TreeNode& below) const {
    if (!same_facts(node, below)) return false;
    if (!options_.overlay || !S_ISREG(node.st.st_mode)) return true;
    return same_bytes(node, below);
  }

  bool is_mount_point(const std::string& path, const TreeNode& node) const {
    const bool empty_file = S_ISREG(node.st.st_mode) && node.st.st_size == 0;
    return (empty_file || node.is_directory()) && options_.is_mount_point &&
           options_.is_mount_point(path);
  }

  Result<void> visit_directory(const std::string& path, TreeNode node,
                               std::optional<TreeNode> below) {
    Level level{.prefix = path + "/", .tree = {}, .base = {}};
    auto opened = open_for_reading(node);
    if (!opened.ok() && opened.error().kind() == ErrorKind::kNotFound) return {};
    level.tree = TRY(std::move(opened));
    const bool merges = below && below->is_directory();
    level.opaque = options_.overlay &&
                   (levels_.back().opaque || (merges && is_overlay_opaque(level.tree.get())));
    const bool hidden = merges && level.opaque && options_.tell_opaque;
    if (merges && !hidden) {
      level.has_base = true;
      level.base = TRY(open_for_reading(*below));
    }
    const bool same = merges ? same_facts(node, *below) : !below && is_mount_point(path, node);
    if (same && !hidden) {
      level.untold = std::move(node);
    } else {
      TRY(tell_above());
      TRY(visitor_.present(below ? ChangeKind::kModified : ChangeKind::kAdded, path, node));
      if (hidden) TRY(visitor_.opaque(path));
    }
    return enter(std::move(level));
  }

  /// Something is about to be told of the directory the walk is in: those that lead there have
  /// changed as well.
  Result<void> tell_above() {
    for (; told_ < levels_.size(); ++told_) {
      Level& level = levels_[told_];
      if (!level.untold) continue;
      const std::string path = level.prefix.substr(0, level.prefix.size() - 1);
      TRY(visitor_.present(ChangeKind::kModified, path, *level.untold));
      level.untold.reset();
    }
    return {};
  }

  int tree_;
  int base_;
  const TreeDiffOptions& options_;
  ChangeVisitor& visitor_;
  std::vector<Level> levels_;
  std::size_t told_ = 0;  // of the levels, those that nothing is to be told of any more
};

}  // namespace

Result<void> diff_trees(int tree, int base, const TreeDiffOptions& options,
                        ChangeVisitor& visitor) {
  return TreeDiff(tree, base, options, visitor).run();
}

}  // namespace berth::image
