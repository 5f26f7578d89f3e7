// TreeNode: what a name in a directory stands for, all of it asked of one descriptor: whatever
// becomes of the name meanwhile, the answers are about one and the same node. For trees that a
// container may be writing to.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace berth::image {

struct TreeNode {
  UniqueFd fd;  // O_PATH: of the node itself, also of a symbolic link
  struct stat st{};
  std::string target = {};  // of a symbolic link
  /// Those an image may set, in the order of their names.
  std::vector<std::pair<std::string, std::string>> xattrs = {};

  bool is_directory() const { return S_ISDIR(st.st_mode); }
};

/// `name` is one component, or "." for the directory itself. Nothing if there is no such node, or
/// none any more. kConflict: it is a mount point.
Result<std::optional<TreeNode>> open_node(int dirfd, const std::string& name);

/// The node again, to read from: a regular file or a directory. Not by its name, which may stand
/// for something else by now, nor by opening anything that could be a device.
Result<UniqueFd> open_for_reading(const TreeNode& node);

/// Whether two nodes have the same kind, owner, mode and attributes, and, unless they are
/// directories, the same size and time of change: what says, without reading it, that a file was
/// not written to.
bool same_facts(const TreeNode& a, const TreeNode& b);

/// Whether two regular files of one size hold the same bytes.
Result<bool> same_bytes(const TreeNode& a, const TreeNode& b);

}  // namespace berth::image
