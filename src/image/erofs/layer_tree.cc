#include "image/erofs/layer_tree.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "image/archive/entry_path.h"
#include "image/changes/tree_node.h"
#include "sys/dir.h"
#include "sys/file.h"

namespace berth::image::erofs {
namespace {

/// What a name, a node and a directory take beside their bytes, heap included.
constexpr std::size_t kNameBytes = 88;
constexpr std::size_t kNodeBytes = 40;
constexpr std::size_t kDirectoryBytes = 200;
/// As many as the kernel follows in one path (path_resolution(7)).
constexpr int kMaxLinks = 40;

std::size_t xattr_bytes(const Attributes& attributes) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : attributes.xattrs)
    bytes += kNameBytes + name.size() + value.size();
  return bytes;
}

/// Of a directory below the layer.
Result<Attributes> attributes_of(int dirfd) {
  auto node = TRY(open_node(dirfd, "."));
  if (!node) return Error::from_errno(ENOENT, "stat a directory of the layers below");
  return Attributes{.mode = node->st.st_mode,
                    .uid = node->st.st_uid,
                    .gid = node->st.st_gid,
                    .mtime = node->st.st_mtim,
                    .xattrs = std::move(node->xattrs)};
}

/// Errors that mean: the layers below have no directory there.
bool is_absence(const Error& error) {
  return error.os_errno() == ENOENT || error.os_errno() == ENOTDIR || error.os_errno() == ELOOP ||
         error.os_errno() == ENAMETOOLONG;
}

}  // namespace

bool is_hidden(const Directory& directory) {
  for (const Directory* at = &directory; at != nullptr; at = at->parent) {
    if (at->opaque) return true;
  }
  return false;
}

Result<LayerTree> LayerTree::make(int base, std::size_t max_bytes) {
  LayerTree tree;
  tree.base_ = base;
  tree.budget_ = max_bytes;
  tree.root_ = TRY(tree.new_node(FileType::kDirectory, kRootOffset / kSlot));
  tree.root_->directory = std::make_unique<Directory>();
  tree.root().node = tree.root_;
  tree.root().attributes = base < 0 ? Attributes{.mode = S_IFDIR | 0755} : TRY(attributes_of(base));
  return tree;
}

Result<void> LayerTree::spend(std::size_t bytes) {
  if (bytes > budget_) {
    return fail(ErrorKind::kExhausted, "its names need more memory than a layer may take");
  }
  budget_ -= bytes;
  return {};
}

Result<Node*> LayerTree::new_node(FileType type, std::uint64_t number) {
  TRY(spend(kNodeBytes));
  return &nodes_.emplace_back(Node{.type = type, .number = number});
}

Result<Node*> LayerTree::new_symlink(std::uint64_t number, const std::string& target) {
  TRY(spend(kNodeBytes + target.size()));
  Node* node = TRY(new_node(FileType::kSymlink, number));
  node->target = std::make_unique<std::string>(target);
  return node;
}

Result<void> LayerTree::name(Directory& in, std::string_view name, Node* node) {
  if (name.size() > kMaxName) {
    return Error::from_errno(ENAMETOOLONG, quote_name(name));
  }
  if (const auto found = in.names.find(name); found != in.names.end()) {
    found->second = node;
    return {};
  }
  TRY(spend(kNameBytes + name.size()));
  in.names.emplace(name, node);
  return {};
}

Result<Directory*> LayerTree::new_directory(Directory& in, std::string_view name,
                                            Attributes attributes) {
  TRY(spend(kDirectoryBytes + xattr_bytes(attributes)));
  Node* node = TRY(new_node(FileType::kDirectory, 0));
  TRY(this->name(in, name, node));
  node->directory = std::make_unique<Directory>(Directory{.attributes = std::move(attributes),
                                                          .node = node,
                                                          .parent = &in,
                                                          .name = &in.names.find(name)->first});
  return node->directory.get();
}

Result<Directory*> LayerTree::make_directory(Directory& in, std::string_view name,
                                             Attributes attributes) {
  const auto found = in.names.find(name);
  if (found != in.names.end() && found->second->directory) {
    Directory& there = *found->second->directory;
    TRY(spend(xattr_bytes(attributes)));
    there.attributes = std::move(attributes);
    return &there;
  }
  const bool replaces = found != in.names.end();
  Directory* made = TRY(new_directory(in, name, std::move(attributes)));
  made->opaque = replaces && has_base();
  return made;
}

/// A component at a time, with what is still to go.
struct LayerTree::Walk {
  Directory* at = nullptr;
  std::string rest = {};
  int links = 0;
};

Result<Directory*> LayerTree::place(std::string_view parent, timespec implied) {
  return walk(parent, &implied);
}

Result<Node*> LayerTree::find(std::string_view path) {
  const auto [parent, name] = split_path(path);
  const Directory* in = TRY(walk(parent, nullptr));
  const auto found = in->names.find(name);
  if (found == in->names.end()) return Error::from_errno(ENOENT, quote_name(path));
  return found->second;
}

/// Makes what is missing unless `implied` is null.
Result<Directory*> LayerTree::walk(std::string_view parent, const timespec* implied) {
  Walk walk{.at = &root(), .rest = std::string(parent)};
  while (!walk.rest.empty()) TRY(step(walk, implied));
  return walk.at;
}

Result<void> LayerTree::step(Walk& walk, const timespec* implied) {
  const auto end = std::min(walk.rest.find('/'), walk.rest.size());
  const std::string name = walk.rest.substr(0, end);
  walk.rest.erase(0, std::min(end + 1, walk.rest.size()));
  if (name.empty() || name == ".") return {};
  if (name == "..") {
    if (walk.at->parent != nullptr) walk.at = walk.at->parent;
    return {};
  }
  const auto found = walk.at->names.find(name);
  const bool there = found != walk.at->names.end();
  if (there && found->second->directory) {
    walk.at = found->second->directory.get();
    return {};
  }
  if (there && !is_mark(*found->second)) {
    if (found->second->target) return follow(walk, *found->second->target);
    return Error::from_errno(ENOTDIR, quote_name(name));
  }
  if (implied == nullptr) return Error::from_errno(ENOENT, quote_name(name));
  walk.at = TRY(imply(*walk.at, name, there, *implied));
  return {};
}

Result<void> LayerTree::follow(Walk& walk, const std::string& target) {
  if (++walk.links > kMaxLinks) return Error::from_errno(ELOOP, quote_name(target));
  walk.rest = walk.rest.empty() ? target : fmt::format("{}/{}", target, walk.rest);
  if (walk.rest.size() > kMaxEntryPath) {
    return fail(ErrorKind::kInvalid, "links lead to a path longer than {} bytes", kMaxEntryPath);
  }
  if (target.starts_with('/')) walk.at = &root();
  return {};
}

/// `was_hidden`: a mark was here that what is below is gone.
Result<Directory*> LayerTree::imply(Directory& in, std::string_view name, bool was_hidden,
                                    timespec implied) {
  Attributes attributes{.mode = S_IFDIR | 0755, .mtime = implied};
  if (!was_hidden) {
    const auto below = open_below(in, name);
    if (below.ok()) {
      attributes = TRY(attributes_of(below->get()));
    } else if (!is_absence(below.error())) {
      return below.error();
    }
  }
  TRY(check_xattrs(attributes.xattrs));
  Directory* made = TRY(new_directory(in, name, std::move(attributes)));
  made->opaque = was_hidden;
  return made;
}

/// The directory that is seen below as `name` in `directory`, or, without a name, as itself.
Result<UniqueFd> LayerTree::open_below(const Directory& directory, std::string_view name) const {
  if (base_ < 0 || is_hidden(directory)) return Error::from_errno(ENOENT, "nothing is below");
  std::string path(name);
  for (const Directory* at = &directory; at->parent != nullptr; at = at->parent) {
    path = path.empty() ? *at->name : fmt::format("{}/{}", *at->name, path);
    if (path.size() > kMaxEntryPath) return Error::from_errno(ENAMETOOLONG, "a path below");
  }
  return sys::open_beneath(base_, path.empty() ? "." : path, O_RDONLY | O_DIRECTORY);
}

Result<void> LayerTree::hide(Directory& in, std::string_view name) {
  const auto below = open_below(in, "");
  if (!below.ok()) return is_absence(below.error()) ? Result<void>() : Result<void>(below.error());
  const auto found = in.names.find(name);
  if (found == in.names.end()) return mark(in, name);
  if (found->second->directory) found->second->directory->opaque = true;
  return {};
}

Result<void> LayerTree::mark(Directory& in, std::string_view name) {
  if (mark_ == nullptr) mark_ = TRY(new_node(FileType::kCharDevice, 0));
  return this->name(in, name, mark_);
}

Result<void> LayerTree::finish() {
  std::vector<Directory*> left = {&root()};
  std::vector<bool> hidden = {root().opaque};
  while (!left.empty()) {
    Directory& at = *left.back();
    const bool is_hidden = hidden.back() || at.opaque;
    left.pop_back();
    hidden.pop_back();
    if (is_hidden)
      std::erase_if(at.names, [&](const auto& entry) { return is_mark(*entry.second); });
    for (const auto& [name, node] : at.names) {
      if (!node->directory) continue;
      left.push_back(node->directory.get());
      hidden.push_back(is_hidden);
    }
  }
  if (!root().opaque || !has_base()) return {};
  root().opaque = false;
  for (const auto& entry : TRY(sys::list_dir(base_))) TRY(hide(root(), entry.name));
  return {};
}

}  // namespace berth::image::erofs
