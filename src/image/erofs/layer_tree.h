// LayerTree: the names of a layer, in memory, while its files go to where they are kept; and where
// an entry of an archive goes among them. The rules are those of RootedTree
// (archive/rooted_tree.h) with an overlay's marks (archive/whiteout.h): a layer is resolved by
// itself, its own symbolic links are followed, those of the layers below are not, and a directory
// that is implied but not listed looks like the one that is seen below. One thread at a time.
//
// Memory is bounded: what is replaced is counted as well, until the tree goes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "image/erofs/writer.h"

namespace berth::image::erofs {

struct Directory;

/// What a name stands for; several names can stand for one, unless it is a directory.
struct Node {
  FileType type = FileType::kRegular;
  std::uint32_t links = 0;   // counted when all names are there
  std::uint64_t number = 0;  // of its inode; of a directory: once it is written
  std::unique_ptr<Directory> directory = {};
  std::unique_ptr<std::string> target = {};  // of a symbolic link
};

struct Directory {
  Attributes attributes = {};
  Node* node = nullptr;
  Directory* parent = nullptr;        // null: the root
  const std::string* name = nullptr;  // in the parent
  bool opaque = false;                // hides what the layers below have in it
  std::map<std::string, Node*, std::less<>> names = {};
  Place place = {};
};

class LayerTree {
 public:
  /// `base` is the root directory of what the layers below show together, borrowed; -1: there are
  /// none, and nothing can be hidden. The root starts with the attributes that it has there.
  static Result<LayerTree> make(int base, std::size_t max_bytes);

  Directory& root() { return *root_->directory; }
  bool has_base() const { return base_ >= 0; }

  /// The directory `parent` ("" is the root), made with those that lead there if absent, its time
  /// then `implied`. kInvalid: the layer has something else where a directory must be.
  Result<Directory*> place(std::string_view parent, timespec implied);
  /// What the layer has at `path`, its directories' links followed, the last component's not.
  /// kInvalid: nothing.
  Result<Node*> find(std::string_view path);

  Result<Node*> new_node(FileType type, std::uint64_t number);
  Result<Node*> new_symlink(std::uint64_t number, const std::string& target);
  /// The new name, or the old one's new meaning.
  Result<void> name(Directory& in, std::string_view name, Node* node);
  /// A directory in place of whatever has the name and is none; one that is there keeps what is in
  /// it. Its attributes are the new ones.
  Result<Directory*> make_directory(Directory& in, std::string_view name, Attributes attributes);

  /// What the layers below have as `name` is gone. Nothing is marked where they have no such
  /// directory.
  Result<void> hide(Directory& in, std::string_view name);
  /// A mark that was there already.
  Result<void> mark(Directory& in, std::string_view name);
  bool is_mark(const Node& node) const { return &node == mark_; }
  Node* mark() { return mark_; }  // what all marks are; null: there are none

  /// All names are there: marks in what is hidden anyway go, as an overlay lists them there, and an
  /// opaque root, which an overlay merges all the same, hides name by name.
  Result<void> finish();

 private:
  struct Walk;
  LayerTree() = default;
  Result<void> spend(std::size_t bytes);
  Result<Directory*> walk(std::string_view parent, const timespec* implied);
  Result<void> step(Walk& walk, const timespec* implied);
  Result<void> follow(Walk& walk, const std::string& target);
  Result<Directory*> imply(Directory& in, std::string_view name, bool was_hidden, timespec implied);
  Result<Directory*> new_directory(Directory& in, std::string_view name, Attributes attributes);
  Result<UniqueFd> open_below(const Directory& directory, std::string_view name) const;

  int base_ = -1;
  std::size_t budget_ = 0;
  std::deque<Node> nodes_;
  Node* root_ = nullptr;
  Node* mark_ = nullptr;  // one node for all
};

/// Whether what the layers below have in it is not seen, as it or one above it is opaque.
bool is_hidden(const Directory& directory);

}  // namespace berth::image::erofs
