#include "image/erofs/directories.h"

#include <algorithm>
#include <vector>

namespace berth::image::erofs {
namespace {

struct Name {
  std::string_view text;
  const Node* node;
};

/// Goes through the names of a directory, itself and its parent among them, block by block:
/// `block(names, bytes)`.
template <typename Block>
Result<void> for_each_block(const Directory& directory, Block block) {
  const Node* parent = directory.parent != nullptr ? directory.parent->node : directory.node;
  std::vector<Name> names;
  std::size_t used = 0;
  const auto add = [&](std::string_view text, const Node* node) -> Result<void> {
    const std::size_t need = kDirent + text.size();
    if (used + need > kBlock) {
      TRY(block(names, used));
      names.clear();
      used = 0;
    }
    names.push_back({text, node});
    used += need;
    return {};
  };
  const Name own[] = {{".", directory.node}, {"..", parent}};
  const Name* next = std::begin(own);
  for (const auto& [text, node] : directory.names) {
    for (; next != std::end(own) && next->text < text; ++next) TRY(add(next->text, next->node));
    TRY(add(text, node));
  }
  for (; next != std::end(own); ++next) TRY(add(next->text, next->node));
  return block(names, used);
}

Result<std::uint64_t> size_of(const Directory& directory) {
  std::uint64_t blocks = 0;
  std::size_t last = 0;
  TRY(for_each_block(directory, [&](const auto&, std::size_t used) -> Result<void> {
    ++blocks;
    last = used;
    return {};
  }));
  return (blocks - 1) * kBlock + last;
}

std::vector<std::byte> block_bytes(const std::vector<Name>& names, std::size_t size) {
  std::vector<std::byte> bytes(size);
  std::byte* entry = bytes.data();
  std::size_t at = names.size() * kDirent;
  for (const Name& name : names) {
    Put(entry)
        .number(name.node->number)
        .number(static_cast<std::uint16_t>(at))
        .number(static_cast<std::uint8_t>(name.node->type))
        .zeros(1);
    entry += kDirent;
    std::ranges::copy(bytes_of(name.text), bytes.data() + at);
    at += name.text.size();
  }
  return bytes;
}

class Directories {
 public:
  Directories(LayerTree& tree, Writer& writer) : tree_(tree), writer_(writer) {}

  Result<void> run() {
    collect();
    TRY(put_mark());
    TRY(reserve());
    for (const Directory* directory : all_) TRY(put(*directory));
    TRY(put(tree_.root()));
    for (const Node* node : linked_) TRY(writer_.set_links(node->number, node->links));
    return {};
  }

 private:
  /// Those that names lead to, the root not among them; counts the names of all else.
  void collect() {
    std::vector<Directory*> left = {&tree_.root()};
    while (!left.empty()) {
      Directory& at = *left.back();
      left.pop_back();
      if (at.parent != nullptr) all_.push_back(&at);
      at.node->links += 2;
      for (const auto& [name, node] : at.names) {
        if (node->directory) {
          ++at.node->links;
          left.push_back(node->directory.get());
        } else if (++node->links == 2) {
          linked_.push_back(node);
        }
      }
    }
  }

  /// An overlay's mark for what is gone: one inode, however many names.
  Result<void> put_mark() {
    Node* mark = tree_.mark();
    if (mark == nullptr || mark->links == 0) return {};
    const Attributes attributes{.mode = S_IFCHR};
    const Place place = TRY(writer_.reserve(attributes, 0));
    mark->number = place.number();
    return writer_.put_inode(place, attributes, mark->links, 0);
  }

  Result<void> reserve() {
    for (Directory* directory : all_) {
      if (directory->opaque) {
        directory->attributes.xattrs.emplace_back("trusted.overlay.opaque", "y");
        TRY(check_xattrs(directory->attributes.xattrs));
      }
      directory->place = TRY(writer_.reserve(directory->attributes, TRY(size_of(*directory))));
      directory->node->number = directory->place.number();
    }
    Directory& root = tree_.root();
    root.place = TRY(writer_.reserve_root(root.attributes, TRY(size_of(root))));
    return {};
  }

  Result<void> put(const Directory& directory) {
    TRY(writer_.put_inode(directory.place, directory.attributes, directory.node->links, 0));
    std::uint64_t offset = 0;
    return for_each_block(directory, [&](const auto& names, std::size_t used) -> Result<void> {
      TRY(writer_.put_data(directory.place, offset, block_bytes(names, used)));
      offset += kBlock;
      return {};
    });
  }

  LayerTree& tree_;
  Writer& writer_;
  std::vector<Directory*> all_;
  std::vector<const Node*> linked_;  // not directories, with more than one name
};

}  // namespace

Result<void> write_directories(LayerTree& tree, Writer& writer) {
  return Directories(tree, writer).run();
}

}  // namespace berth::image::erofs
