// write_archive(): entries become inodes as they come, names are kept until the end.
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <utility>

#include "image/archive/decompress.h"
#include "image/archive/entry_path.h"
#include "image/archive/node_attributes.h"
#include "image/archive/tar_reader.h"
#include "image/erofs/directories.h"
#include "image/erofs/layer_file.h"
#include "image/erofs/layer_tree.h"
#include "image/erofs/writer.h"

namespace berth::image::erofs {
namespace {

/// Of a device's numbers an inode holds so many bits.
constexpr unsigned kMaxMajor = (1U << 12) - 1;
constexpr unsigned kMaxMinor = (1U << 20) - 1;

/// What stands in the way of a name in the archive is the archive's fault.
Error blame_archive(Error error) {
  switch (error.os_errno()) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
      return std::move(error).with_kind(ErrorKind::kInvalid);
    default:
      return error;
  }
}

/// Those an image may set, as a file system here keeps them: xattr(7) has none of the user's on
/// links and devices.
Xattrs image_xattrs(const TarEntry& entry) {
  const bool has_users =
      entry.kind == TarEntry::Kind::kFile || entry.kind == TarEntry::Kind::kDirectory;
  const bool has_acl = entry.kind != TarEntry::Kind::kSymlink;
  Xattrs xattrs;
  for (const auto& [name, value] : entry.xattrs) {
    if (!is_image_xattr(name) || (name.starts_with("user.") && !has_users) ||
        (name.starts_with("system.") && !has_acl))
      continue;
    std::erase_if(xattrs, [&](const auto& earlier) { return earlier.first == name; });
    xattrs.emplace_back(name, value);
  }
  return xattrs;
}

class ArchiveFile {
 public:
  ArchiveFile(LayerTree tree, TarReader reader, int fd, const ApplyLimits& limits)
      : tree_(std::move(tree)), reader_(std::move(reader)), writer_(fd), limits_(limits) {}

  Result<AppliedLayer> run() {
    TarEntry entry;
    while (TRY(reader_.next(entry))) {
      if (++done_.entries > limits_.max_entries) {
        return fail(ErrorKind::kExhausted, "it has more than {} entries", limits_.max_entries);
      }
      auto added = add(entry);
      if (!added.ok()) {
        return blame_archive(std::move(added).error()).context("entry " + quote_name(entry.path));
      }
    }
    TRY(tree_.finish());
    TRY(write_directories(tree_, writer_));
    TRY(writer_.finish());
    return done_;
  }

 private:
  Result<void> add(const TarEntry& entry) {
    const std::string path = TRY(clean_entry_path(entry.path));
    if (path.empty()) return add_root(entry);
    const auto [parent, name] = split_path(path);
    const auto whiteout = TRY(parse_whiteout(name));
    // Entries come directory by directory, and a directory stays one until something else is named.
    if (place_ == nullptr || parent != parent_) {
      place_ = TRY(tree_.place(parent, entry.mtime));
      parent_ = parent;
    }
    Directory& in = *place_;
    switch (whiteout.kind) {
      case Whiteout::Kind::kInternal:
        return {};
      case Whiteout::Kind::kOpaque:
        if (tree_.has_base()) in.opaque = true;
        return {};
      case Whiteout::Kind::kRemove:
        return tree_.hide(in, whiteout.name);
      case Whiteout::Kind::kNone:
        break;
    }
    const auto there = in.names.find(name);
    // Links may have led through what is replaced.
    if (there != in.names.end()) place_ = nullptr;
    return make(entry, path, in, std::string(name));
  }

  static Result<Attributes> attributes_of(const TarEntry& entry, mode_t type) {
    Attributes attributes{.mode = type | (entry.mode & 07777U),
                          .uid = entry.uid,
                          .gid = entry.gid,
                          .mtime = entry.mtime,
                          .xattrs = image_xattrs(entry)};
    TRY(check_xattrs(attributes.xattrs));
    return attributes;
  }

  Result<void> add_root(const TarEntry& entry) {
    if (entry.kind != TarEntry::Kind::kDirectory) {
      return fail(ErrorKind::kInvalid, "the root is not a directory");
    }
    tree_.root().attributes = TRY(attributes_of(entry, S_IFDIR));
    return {};
  }

  Result<void> make(const TarEntry& entry, const std::string& path, Directory& in,
                    const std::string& name) {
    switch (entry.kind) {
      case TarEntry::Kind::kDirectory:
        TRY(tree_.make_directory(in, name, TRY(attributes_of(entry, S_IFDIR))));
        return {};
      case TarEntry::Kind::kFile:
        return make_file(entry, in, name);
      case TarEntry::Kind::kHardlink:
        return make_hardlink(entry, path, in, name);
      case TarEntry::Kind::kSymlink:
        return make_symlink(entry, in, name);
      case TarEntry::Kind::kFifo:
        return make_special(entry, S_IFIFO, FileType::kFifo, in, name);
      case TarEntry::Kind::kCharDevice:
        return make_special(entry, S_IFCHR, FileType::kCharDevice, in, name);
      case TarEntry::Kind::kBlockDevice:
        return make_special(entry, S_IFBLK, FileType::kBlockDevice, in, name);
    }
    return {};
  }

  Result<void> make_file(const TarEntry& entry, Directory& in, const std::string& name) {
    if (entry.size > limits_.max_bytes - done_.bytes) {
      return fail(ErrorKind::kExhausted, "the files have more than {} bytes", limits_.max_bytes);
    }
    done_.bytes += entry.size;
    const Attributes attributes = TRY(attributes_of(entry, S_IFREG));
    const Place place = TRY(writer_.reserve(attributes, entry.size));
    TRY(writer_.put_inode(place, attributes, 1, 0));
    TarBlock block;
    while (TRY(reader_.next_block(block))) {
      if (block.offset > entry.size || block.data.size() > entry.size - block.offset) {
        return fail(ErrorKind::kCorrupt, "it has more data than it says");
      }
      TRY(writer_.put_data(place, block.offset, block.data));
    }
    return tree_.name(in, name, TRY(tree_.new_node(FileType::kRegular, place.number())));
  }

  Result<void> make_hardlink(const TarEntry& entry, const std::string& path, Directory& in,
                             const std::string& name) {
    const std::string target = TRY(clean_entry_path(entry.link).context("hard link"));
    Node* node = TRY(tree_.find(target).context("hard link to " + quote_name(target)));
    if (node->directory) {
      return fail(ErrorKind::kInvalid, "hard link to {}, which is a directory", quote_name(target));
    }
    if (tree_.is_mark(*node)) {
      return fail(ErrorKind::kInvalid, "hard link to {}, which is not in the same layer",
                  quote_name(target));
    }
    if (target == path) return {};  // a second mention of the same name
    return tree_.name(in, name, node);
  }

  Result<void> make_symlink(const TarEntry& entry, Directory& in, const std::string& name) {
    if (entry.link.empty() || entry.link.size() > kMaxEntryPath) {
      return fail(ErrorKind::kInvalid, "a symbolic link of {} bytes", entry.link.size());
    }
    Attributes attributes = TRY(attributes_of(entry, S_IFLNK));
    attributes.mode = S_IFLNK | 0777;
    const Place place = TRY(writer_.reserve(attributes, entry.link.size()));
    TRY(writer_.put_inode(place, attributes, 1, 0));
    TRY(writer_.put_data(place, 0, bytes_of(entry.link)));
    return tree_.name(in, name, TRY(tree_.new_symlink(place.number(), entry.link)));
  }

  Result<void> make_special(const TarEntry& entry, mode_t mode, FileType type, Directory& in,
                            const std::string& name) {
    const unsigned major = type == FileType::kFifo ? 0 : entry.device_major;
    const unsigned minor = type == FileType::kFifo ? 0 : entry.device_minor;
    if (type == FileType::kCharDevice && major == 0 && minor == 0) {
      return fail(ErrorKind::kInvalid, "device 0:0 is an overlay's whiteout, not a device");
    }
    if (major > kMaxMajor || minor > kMaxMinor) {
      return fail(ErrorKind::kInvalid, "there can be no device {}:{}", major, minor);
    }
    const Attributes attributes = TRY(attributes_of(entry, mode));
    const Place place = TRY(writer_.reserve(attributes, 0));
    TRY(writer_.put_inode(place, attributes, 1, device_number(major, minor)));
    return tree_.name(in, name, TRY(tree_.new_node(type, place.number())));
  }

  LayerTree tree_;
  TarReader reader_;
  Writer writer_;
  ApplyLimits limits_;
  AppliedLayer done_;
  Directory* place_ = nullptr;  // what the last entry's parent led to
  std::string parent_;
};

}  // namespace

Result<AppliedLayer> write_archive(ByteSource& tar, int base, int fd, const ApplyLimits& limits,
                                   std::size_t max_tree_bytes) {
  LayerTree tree = TRY(LayerTree::make(base, max_tree_bytes));
  ArchiveFile file(std::move(tree), TRY(TarReader::open(tar)), fd, limits);
  const AppliedLayer done = TRY(file.run());
  TRY(drain(tar));
  return done;
}

}  // namespace berth::image::erofs
