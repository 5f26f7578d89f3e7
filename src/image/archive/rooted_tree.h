// RootedTree: where an entry of an archive goes. Every path is resolved by the kernel with the tree
// as its root (openat2, RESOLVE_IN_ROOT), and the last component is only ever given to calls that
// do not follow links: nothing an archive says reaches outside. One thread at a time; nobody else
// changes the tree meanwhile.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace berth::image {

class RootedTree {
 public:
  /// Borrows the descriptors. `lowers` are the layers below, topmost first: a directory that the
  /// archive implies but does not list gets the owner and mode it has there.
  RootedTree(int root, std::span<const int> lowers) : root_(root), lowers_(lowers) {}

  int root() const { return root_; }

  struct Place {
    int dirfd;  // valid until the next call of this object
    std::string name;
  };
  /// The directory for `clean` (not empty), made with its parents if absent. kInvalid if one is no
  /// directory.
  Result<Place> place(std::string_view clean);

  struct Found {
    UniqueFd dirfd;
    std::string name;
  };
  /// The same for something that must exist already.
  Result<Found> find(std::string_view clean) const;

  /// Something was removed or replaced: what was resolved before may be wrong now.
  void forget() { parent_fd_.reset(); }

 private:
  Result<UniqueFd> make_parents(const std::string& parent);
  Result<void> imply_directory(int dirfd, const std::string& name, const std::string& path);

  int root_;
  std::span<const int> lowers_;
  std::string parent_;  // of the last place: entries come directory by directory
  UniqueFd parent_fd_;
};

}  // namespace berth::image
