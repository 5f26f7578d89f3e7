// diff_trees(): what a tree has otherwise than the one it is based on. The tree may be changing
// meanwhile: what goes away before it was looked at is left out, and nothing leads out of it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "image/changes/tree_node.h"

namespace berth::image {

/// As Docker's API numbers them.
enum class ChangeKind : std::uint8_t { kModified = 0, kAdded = 1, kDeleted = 2 };

/// Takes what is found: a directory before what is in it, names of one directory in the order of
/// their bytes. Paths are relative to the root: "etc/hosts". An error ends the walk.
class ChangeVisitor {
 public:
  virtual ~ChangeVisitor() = default;
  /// Of kind kModified or kAdded. A directory in which something has changed is modified. The path
  /// "" is the root, told if it has other attributes.
  virtual Result<void> present(ChangeKind kind, const std::string& path, const TreeNode& node) = 0;
  /// What the base has there is gone, with all that is in it.
  virtual Result<void> deleted(const std::string& path) = 0;
  /// The directory `path`, which was told just now, has nothing of what the base has in it. Called
  /// only if TreeDiffOptions::tell_opaque says so.
  virtual Result<void> opaque(const std::string& path) = 0;
};

struct TreeDiffOptions {
  /// The tree is the upper layer of an overlay over the base: it holds only what has changed, and
  /// whiteouts. Otherwise it is a copy of the base that was changed.
  bool overlay = false;
  /// Of an overlay's directory that hides what is below it the visitor hears once, and all that it
  /// holds is added; otherwise it hears of every name that is hidden.
  bool tell_opaque = false;
  /// Whether a node of this path, an empty file or a directory, is there only because something is
  /// mounted on it when the container runs: it is taken for one that the base has too. May be
  /// empty.
  std::function<bool(std::string_view path)> is_mount_point = {};
};

/// Both are descriptors of directories, borrowed; `base` -1: nothing, so that everything is added.
/// Devices 0:0, which no layer can hold, are taken for nothing. kUnsupported: a path is longer than
/// PATH_MAX.
Result<void> diff_trees(int tree, int base, const TreeDiffOptions& options, ChangeVisitor& visitor);

}  // namespace berth::image
