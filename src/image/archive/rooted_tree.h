// RootedTree: where an entry of an archive goes. A layer is resolved by itself, as if only its own
// entries were there: a symbolic link that the layer brought is followed, with the tree as its
// root, and one of the layers below is not, nor is a file of theirs an obstacle: a directory takes
// its place. That is what unpacking into an overlay's upper layer comes to, and it holds as well
// where the tree is a copy of the layers below. Paths are walked component by component, each
// opened without following links, and the last component is only ever given to calls that do not
// follow them: nothing an archive says reaches outside. One thread at a time; nobody else changes
// the tree meanwhile.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "image/archive/whiteout.h"

namespace berth::image {

class RootedTree {
 public:
  /// Borrows everything. `lowers` are the layers below, topmost first: a directory that the archive
  /// implies but does not list gets the owner, mode and attributes that it has in what they show
  /// together. `whiteouts` is null for a tree that nothing is below.
  RootedTree(int root, std::span<const int> lowers, Whiteouts* whiteouts)
      : root_(root), lowers_(lowers), whiteouts_(whiteouts) {}

  int root() const { return root_; }
  std::span<const int> lowers() const { return lowers_; }

  struct Place {
    int dirfd;  // valid until the next place() or forget()
    std::string name;
    std::string real;  // the path from the root, its directories no links
  };
  /// The directory for `clean` (not empty), made with its parents if absent. kInvalid if the layer
  /// has something else where a directory must be.
  Result<Place> place(std::string_view clean);

  /// Whether the layers below have a directory where the last place is, so that something in it can
  /// be hidden. True where that is not known: the tree itself holds what is below.
  Result<bool> is_merged();

  struct Found {
    UniqueFd dirfd;
    std::string name;
  };
  /// The same for something that the layer must have already.
  Result<Found> find(std::string_view clean);

  /// Something was removed or replaced: what was resolved before may be wrong now.
  void forget() { parent_fd_.reset(); }

 private:
  /// A path on its way through the tree.
  struct Walk {
    UniqueFd at;
    std::string real;             // the path of `at`
    std::string rest;             // what is still to go
    std::vector<UniqueFd> below;  // what lies below `at`, topmost first: an overlay merges them
    int links = 0;
  };

  bool is_opaque(int dirfd) const;
  std::vector<UniqueFd> merged_below(const std::vector<UniqueFd>& below,
                                     const std::string& name) const;
  Result<Walk> walk(std::string_view parent, bool make);
  Result<void> begin(Walk& walk, std::string path) const;
  Result<void> step(Walk& walk, bool make);
  Result<void> follow(Walk& walk, const std::string& name) const;
  Result<void> imply(Walk& walk, const std::string& name, bool was_hidden);
  Result<void> enter(Walk& walk, const std::string& name) const;

  int root_;
  std::span<const int> lowers_;
  Whiteouts* whiteouts_;
  std::string parent_;  // of the last place: entries come directory by directory
  std::string real_parent_;
  UniqueFd parent_fd_;
  std::uint64_t lookups_ = 0;
};

}  // namespace berth::image
