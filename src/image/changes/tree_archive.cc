#include "image/changes/tree_archive.h"

#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "image/archive/entry_path.h"
#include "image/archive/tar_writer.h"
#include "image/changes/tree_diff.h"

namespace berth::image {
namespace {

constexpr std::size_t kReadBuffer = 128U << 10;
constexpr std::string_view kWhiteoutPrefix = ".wh.";
constexpr std::string_view kOpaqueName = ".wh..wh..opq";

/// Nodes as entries: the first name of a file that has several is the file, the others are links.
class NodeWriter {
 public:
  explicit NodeWriter(ByteSink& sink) : tar_(sink), buffer_(kReadBuffer) {}

  Result<void> write(const std::string& path, const TreeNode& node) {
    TarEntry entry = entry_of(path, node);
    if (is_later_link(entry, node) || entry.kind != TarEntry::Kind::kFile || entry.size == 0)
      return tar_.begin(entry);
    const UniqueFd file = TRY(open_for_reading(node));
    TRY(tar_.begin(entry));
    return copy(file.get());
  }

  /// A file without content, as whiteouts are.
  Result<void> write_mark(std::string path) {
    TarEntry entry;
    entry.path = std::move(path);
    entry.mode = 0644;
    return tar_.begin(entry);
  }

  Result<void> finish() { return tar_.finish(); }

 private:
  struct Links {
    std::string first;  // name
    nlink_t left = 0;   // names still to come
  };

  static TarEntry entry_of(const std::string& path, const TreeNode& node) {
    TarEntry entry;
    entry.path = path;
    entry.kind = kind_of(node.st.st_mode);
    entry.link = node.target;
    entry.mode = node.st.st_mode & 07777;
    entry.uid = node.st.st_uid;
    entry.gid = node.st.st_gid;
    entry.size = static_cast<std::uint64_t>(node.st.st_size);
    entry.mtime = node.st.st_mtim;
    if (S_ISCHR(node.st.st_mode) || S_ISBLK(node.st.st_mode)) {
      entry.device_major = major(node.st.st_rdev);
      entry.device_minor = minor(node.st.st_rdev);
    }
    entry.xattrs = node.xattrs;
    return entry;
  }

  static TarEntry::Kind kind_of(mode_t mode) {
    switch (mode & S_IFMT) {
      case S_IFDIR:
        return TarEntry::Kind::kDirectory;
      case S_IFLNK:
        return TarEntry::Kind::kSymlink;
      case S_IFCHR:
        return TarEntry::Kind::kCharDevice;
      case S_IFBLK:
        return TarEntry::Kind::kBlockDevice;
      case S_IFIFO:
        return TarEntry::Kind::kFifo;
      default:
        return TarEntry::Kind::kFile;
    }
  }

  /// Makes the entry a link if the node was written under another name. A file is forgotten with
  /// the last of its names, so that memory does not grow with the tree.
  bool is_later_link(TarEntry& entry, const TreeNode& node) {
    if (node.is_directory() || node.st.st_nlink < 2) return false;
    const auto [known, is_first] = links_.try_emplace(
        {node.st.st_dev, node.st.st_ino}, Links{.first = entry.path, .left = node.st.st_nlink});
    const std::string first = known->second.first;
    if (--known->second.left == 0) links_.erase(known);
    if (is_first) return false;
    entry.kind = TarEntry::Kind::kHardlink;
    entry.link = first;
    entry.xattrs.clear();
    return true;
  }

  /// As many bytes as the entry says: what the file has got since is left out, what it has lost is
  /// zeros.
  Result<void> copy(int fd) {
    while (tar_.missing() > 0) {
      const std::size_t want = std::min<std::uint64_t>(buffer_.size(), tar_.missing());
      const ssize_t got = ::read(fd, buffer_.data(), want);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail_errno("read");
      if (got == 0) return tar_.fill_up();
      TRY(tar_.write(std::span(buffer_).first(static_cast<std::size_t>(got))));
    }
    return {};
  }

  TarWriter tar_;
  std::vector<std::byte> buffer_;
  std::map<std::pair<dev_t, ino_t>, Links> links_;
};

class WholeTree final : public ChangeVisitor {
 public:
  explicit WholeTree(ByteSink& sink) : writer_(sink) {}

  Result<void> present(ChangeKind, const std::string& path, const TreeNode& node) override {
    return S_ISSOCK(node.st.st_mode) ? Result<void>() : writer_.write(path, node);
  }
  Result<void> deleted(const std::string&) override { return {}; }
  Result<void> opaque(const std::string&) override { return {}; }
  Result<void> finish() { return writer_.finish(); }

 private:
  NodeWriter writer_;
};

class Layer final : public ChangeVisitor {
 public:
  Layer(const TreeNode& root, ByteSink& sink) : root_(root), writer_(sink) {}

  Result<void> present(ChangeKind kind, const std::string& path, const TreeNode& node) override {
    if (path.empty()) return begin();
    if (split_path(path).name.starts_with(kWhiteoutPrefix)) {
      return fail(ErrorKind::kInvalid,
                  "a file whose name starts with '.wh.' cannot be part of an image: remove it, or "
                  "give it another name");
    }
    // A socket is nothing outside of the container; what it has taken the place of is gone.
    if (S_ISSOCK(node.st.st_mode))
      return kind == ChangeKind::kModified ? deleted(path) : Result<void>();
    TRY(begin());
    ++content_.changes;
    return writer_.write(path, node);
  }

  Result<void> deleted(const std::string& path) override {
    TRY(begin());
    ++content_.changes;
    const SplitPath parts = split_path(path);
    return writer_.write_mark(join(parts.parent, fmt::format("{}{}", kWhiteoutPrefix, parts.name)));
  }

  Result<void> opaque(const std::string& path) override {
    ++content_.changes;
    return writer_.write_mark(join(path, kOpaqueName));
  }

  Result<LayerContent> finish() {
    TRY(writer_.finish());
    return content_;
  }

 private:
  static std::string join(std::string_view directory, std::string_view name) {
    return fmt::format("{}{}{}", directory, directory.empty() ? "" : "/", name);
  }

  /// The root comes first, with the owner and mode it has, once it is known that there is anything.
  Result<void> begin() {
    if (std::exchange(begun_, true)) return {};
    ++content_.changes;
    return writer_.write("./", root_);
  }

  const TreeNode& root_;
  NodeWriter writer_;
  LayerContent content_;
  bool begun_ = false;
};

}  // namespace

Result<void> write_tree(int root, ByteSink& sink) {
  WholeTree tree(sink);
  TRY(diff_trees(root, -1, {}, tree));
  return tree.finish();
}

Result<LayerContent> write_layer(const SnapshotTrees& trees, const IsMountPoint& is_mount_point,
                                 ByteSink& sink) {
  const auto root = TRY(open_node(trees.tree.get(), "."));
  if (!root) return fail(ErrorKind::kNotFound, "the tree is gone");
  Layer layer(*root, sink);
  const TreeDiffOptions options{
      .overlay = trees.overlay, .tell_opaque = true, .is_mount_point = is_mount_point};
  TRY(diff_trees(trees.tree.get(), trees.base.get(), options, layer));
  return layer.finish();
}

}  // namespace berth::image
