// write_directory(): the layer that an overlay has written, node by node.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <unordered_map>
#include <utility>

#include "image/archive/entry_path.h"
#include "image/archive/whiteout.h"
#include "image/changes/tree_node.h"
#include "image/erofs/directories.h"
#include "image/erofs/layer_file.h"
#include "image/erofs/layer_tree.h"
#include "image/erofs/writer.h"
#include "sys/dir.h"

namespace berth::image::erofs {
namespace {

constexpr std::size_t kReadBuffer = 128U << 10;

FileType type_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return FileType::kDirectory;
    case S_IFCHR:
      return FileType::kCharDevice;
    case S_IFBLK:
      return FileType::kBlockDevice;
    case S_IFIFO:
      return FileType::kFifo;
    case S_IFSOCK:
      return FileType::kSocket;
    case S_IFLNK:
      return FileType::kSymlink;
    default:
      return FileType::kRegular;
  }
}

class DirectoryFile final : public sys::TreeVisitor {
 public:
  DirectoryFile(LayerTree tree, int fd)
      : tree_(std::move(tree)), writer_(fd), at_(&tree_.root()), buffer_(kReadBuffer) {}

  Result<void> run(int upper) {
    TRY(sys::walk_tree(upper, *this));
    TRY(tree_.finish());
    TRY(write_directories(tree_, writer_));
    return writer_.finish();
  }

  Result<void> file(int dirfd, const std::string& name, unsigned char) override {
    return add(dirfd, name).context(quote_name(name));
  }

  Result<void> enter(int, const std::string& name, int opened) override {
    auto node = TRY(open_node(opened, "."));
    if (!node) return fail(ErrorKind::kConflict, "{} went away", quote_name(name));
    at_ = TRY(tree_.make_directory(*at_, name, TRY(attributes_of(*node))));
    at_->opaque = is_overlay_opaque(opened);
    return {};
  }

  Result<void> leave(int, const std::string&) override {
    at_ = at_->parent;
    return {};
  }

 private:
  static Result<Attributes> attributes_of(TreeNode& node) {
    Attributes attributes{.mode = node.st.st_mode,
                          .uid = node.st.st_uid,
                          .gid = node.st.st_gid,
                          .mtime = node.st.st_mtim,
                          .xattrs = std::move(node.xattrs)};
    TRY(check_xattrs(attributes.xattrs));
    return attributes;
  }

  Result<void> add(int dirfd, const std::string& name) {
    auto node = TRY(open_node(dirfd, name));
    if (!node) return {};  // removed meanwhile
    if (is_overlay_whiteout(node->st)) return tree_.mark(*at_, name);
    if (node->st.st_nlink > 1) {
      if (const auto known = links_.find(node->st.st_ino); known != links_.end())
        return tree_.name(*at_, name, known->second);
    }
    Node* made = TRY(write(*node));
    if (node->st.st_nlink > 1) links_.emplace(node->st.st_ino, made);
    return tree_.name(*at_, name, made);
  }

  Result<Node*> write(TreeNode& node) {
    const bool is_link = S_ISLNK(node.st.st_mode);
    const Attributes attributes = TRY(attributes_of(node));
    std::uint64_t size = is_link ? node.target.size() : 0;
    if (S_ISREG(node.st.st_mode)) size = static_cast<std::uint64_t>(node.st.st_size);
    const Place place = TRY(writer_.reserve(attributes, size));
    TRY(writer_.put_inode(place, attributes, 1,
                          device_number(major(node.st.st_rdev), minor(node.st.st_rdev))));
    if (is_link) {
      TRY(writer_.put_data(place, 0, bytes_of(node.target)));
      return tree_.new_symlink(place.number(), node.target);
    }
    if (size > 0) TRY(copy_data(TRY(open_for_reading(node)).get(), place));
    return tree_.new_node(type_of(node.st.st_mode), place.number());
  }

  /// Holes are zeros, and are not copied.
  Result<void> copy_data(int from, const Place& place) {
    const auto end = static_cast<off_t>(place.size);
    for (off_t at = 0; at < end;) {
      at = ::lseek(from, at, SEEK_DATA);
      if (at < 0 && errno == ENXIO) return {};
      if (at < 0) return fail_errno("find data");
      const off_t hole = ::lseek(from, at, SEEK_HOLE);
      if (hole < 0) return fail_errno("find a hole");
      for (const off_t stop = std::min(hole, end); at < stop;) {
        const auto want = std::min(buffer_.size(), static_cast<std::size_t>(stop - at));
        const ssize_t got = ::pread(from, buffer_.data(), want, at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno("read");
        if (got == 0) return {};  // it was cut meanwhile
        TRY(writer_.put_data(place, static_cast<std::uint64_t>(at),
                             std::span(buffer_).first(static_cast<std::size_t>(got))));
        at += got;
      }
    }
    return {};
  }

  LayerTree tree_;
  Writer writer_;
  Directory* at_;  // where the walk is
  std::vector<std::byte> buffer_;
  std::unordered_map<ino_t, Node*> links_;  // of files with several names
};

}  // namespace

Result<void> write_directory(int upper, int fd) {
  LayerTree tree = TRY(LayerTree::make(-1, kMaxTreeBytes));
  auto root = TRY(open_node(upper, "."));
  if (!root) return fail(ErrorKind::kNotFound, "the tree is gone");
  tree.root().attributes = {.mode = root->st.st_mode,
                            .uid = root->st.st_uid,
                            .gid = root->st.st_gid,
                            .mtime = root->st.st_mtim,
                            .xattrs = std::move(root->xattrs)};
  TRY(check_xattrs(tree.root().attributes.xattrs));
  return DirectoryFile(std::move(tree), fd).run(upper);
}

}  // namespace berth::image::erofs
