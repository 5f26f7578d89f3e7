#include "image/archive/apply.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <unordered_map>
#include <utility>

#include "image/archive/decompress.h"
#include "image/archive/entry_data.h"
#include "image/archive/entry_path.h"
#include "image/archive/file_writer.h"
#include "image/archive/node_attributes.h"
#include "image/archive/rooted_tree.h"
#include "image/archive/tar_reader.h"
#include "sys/dir.h"
#include "sys/file.h"

namespace berth::image {
namespace {

/// What a directory that is remembered takes beside its path.
constexpr std::size_t kDirectoryOverhead = 96;

/// An errno that a name in the archive caused is the archive's fault, not a missing file of the
/// caller's.
Error blame_archive(Error error) {
  switch (error.os_errno()) {
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case EEXIST:
    case ELOOP:
    case EXDEV:
    case EMLINK:
    case EINVAL:
    case ENAMETOOLONG:
      return std::move(error).with_kind(ErrorKind::kInvalid);
    default:
      return error;
  }
}

class Applier {
 public:
  Applier(const ApplyTarget& target, TarReader reader, const ApplyLimits& limits)
      : whiteouts_(target.whiteouts),
        tree_(target.root, target.lowers, target.whiteouts),
        reader_(std::move(reader)),
        limits_(limits) {}

  Result<AppliedLayer> run() {
    TarEntry entry;
    while (TRY(reader_.next(entry))) {
      if (++done_.entries > limits_.max_entries) {
        return fail(ErrorKind::kExhausted, "it has more than {} entries", limits_.max_entries);
      }
      auto applied = apply(entry);
      if (files_.failed()) break;
      if (!applied.ok()) {
        return blame_archive(std::move(applied).error()).context("entry " + quote_name(entry.path));
      }
    }
    if (auto written = files_.finish(); !written.ok())
      return blame_archive(std::move(written).error());
    if (whiteouts_ != nullptr) TRY(whiteouts_->finish(tree_.root(), tree_.lowers()));
    TRY(set_directory_times());
    return done_;
  }

 private:
  Result<void> apply(const TarEntry& entry) {
    const std::string path = TRY(clean_entry_path(entry.path));
    if (path.empty()) return apply_root(entry);
    const auto whiteout = TRY(parse_whiteout(split_path(path).name));
    const auto place = TRY(tree_.place(path));
    switch (whiteout.kind) {
      case Whiteout::Kind::kInternal:
        return {};
      case Whiteout::Kind::kOpaque:
        return whiteouts_ == nullptr ? Result<void>()
                                     : hide([&] { return whiteouts_->make_opaque(place.dirfd); });
      case Whiteout::Kind::kRemove:
        if (whiteouts_ == nullptr || !TRY(tree_.is_merged())) return {};
        return hide([&] { return whiteouts_->remove(place.dirfd, std::string(whiteout.name)); });
      case Whiteout::Kind::kNone:
        break;
    }
    TRY(make(entry, path, place));
    if (whiteouts_ != nullptr) TRY(whiteouts_->added(place.dirfd, place.name));
    if (std::exchange(cleared_, false)) tree_.forget();
    return {};
  }

  template <typename Hide>
  Result<void> hide(Hide call) {
    TRY(call());
    tree_.forget();
    return {};
  }

  Result<void> apply_root(const TarEntry& entry) {
    if (entry.kind != TarEntry::Kind::kDirectory) {
      return fail(ErrorKind::kInvalid, "the root is not a directory");
    }
    const UniqueFd root = TRY(sys::open_in_root(tree_.root(), ".", O_RDONLY | O_DIRECTORY));
    TRY(remember_directory("", entry.mtime));
    TRY(remove_image_xattrs(root.get()));
    return set_attributes(root.get(), entry);
  }

  Result<void> remember_directory(const std::string& real, timespec mtime) {
    const auto [known, is_new] = directories_.insert_or_assign(real, mtime);
    if (is_new) directory_bytes_ += real.size() + kDirectoryOverhead;
    if (directory_bytes_ <= limits_.max_directory_bytes) return {};
    return fail(ErrorKind::kExhausted, "its directories need more than {} bytes of memory",
                limits_.max_directory_bytes);
  }

  Result<void> make(const TarEntry& entry, const std::string& path,
                    const RootedTree::Place& place) {
    switch (entry.kind) {
      case TarEntry::Kind::kDirectory:
        return make_directory(entry, place);
      case TarEntry::Kind::kFile:
        return make_file(entry, place);
      case TarEntry::Kind::kHardlink:
        return make_hardlink(entry, path, place);
      case TarEntry::Kind::kSymlink:
        TRY(make_node(place, [&] {
          return ::symlinkat(entry.link.c_str(), place.dirfd, place.name.c_str());
        }));
        return set_attributes_at(place.dirfd, place.name, entry);
      case TarEntry::Kind::kFifo:
        return make_special(entry, place, S_IFIFO, 0);
      case TarEntry::Kind::kCharDevice:
        return make_special(entry, place, S_IFCHR, device_of(entry));
      case TarEntry::Kind::kBlockDevice:
        return make_special(entry, place, S_IFBLK, device_of(entry));
    }
    return {};
  }

  static dev_t device_of(const TarEntry& entry) {
    return makedev(entry.device_major, entry.device_minor);
  }

  /// Removes what is in the way of a node of another kind, or of a newer one.
  Result<void> clear(const RootedTree::Place& place) {
    TRY(sys::remove_tree(place.dirfd, place.name));
    cleared_ = true;
    return {};
  }

  /// Calls `create`, which says EEXIST if something has the name, and again once that is cleared
  /// away.
  template <typename Create>
  Result<int> make_node(const RootedTree::Place& place, Create create) {
    int made = create();
    if (made < 0 && errno == EEXIST) {
      TRY(clear(place));
      made = create();
    }
    if (made < 0) return fail_errno("create");
    return made;
  }

  Result<void> make_directory(const TarEntry& entry, const RootedTree::Place& place) {
    const int made = ::mkdirat(place.dirfd, place.name.c_str(), 0700);
    if (made != 0 && errno != EEXIST) return fail_errno("make directory");
    if (made != 0) TRY(make_way_for_directory(place));
    const UniqueFd dir = TRY(sys::open_dir_at(place.dirfd, place.name));
    // A directory that was here keeps what is in it, and nothing else.
    if (made != 0) TRY(remove_image_xattrs(dir.get()));
    TRY(remember_directory(place.real, entry.mtime));
    return set_attributes(dir.get(), entry);
  }

  /// Something has the name: a directory stays, all else hides what the layers below have there,
  /// and so does the directory that takes its place.
  Result<void> make_way_for_directory(const RootedTree::Place& place) {
    struct stat st{};
    if (::fstatat(place.dirfd, place.name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
      return fail_errno("stat");
    }
    if (S_ISDIR(st.st_mode)) return {};
    TRY(clear(place));
    if (::mkdirat(place.dirfd, place.name.c_str(), 0700) != 0) return fail_errno("make directory");
    if (whiteouts_ == nullptr) return {};
    const UniqueFd dir = TRY(sys::open_dir_at(place.dirfd, place.name));
    return whiteouts_->make_opaque(dir.get());
  }

  Result<void> make_file(const TarEntry& entry, const RootedTree::Place& place) {
    if (entry.size > limits_.max_bytes - done_.bytes) {
      return fail(ErrorKind::kExhausted, "the files have more than {} bytes", limits_.max_bytes);
    }
    done_.bytes += entry.size;
    UniqueFd fd(TRY(make_node(place, [&] {
      return ::openat(place.dirfd, place.name.c_str(),
                      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, entry.mode & 0777);
    })));
    files_.begin(std::move(fd), entry);
    return read_entry_data(reader_, entry, [&](const TarBlock& block) -> Result<void> {
      files_.write(block.data, block.offset);
      return files_.failed() ? fail(ErrorKind::kInternal, "not written") : Result<void>();
    });
  }

  Result<void> make_hardlink(const TarEntry& entry, const std::string& path,
                             const RootedTree::Place& place) {
    const std::string target = TRY(clean_entry_path(entry.link).context("hard link"));
    const auto from = TRY(tree_.find(target).context("hard link to " + quote_name(target)));
    struct stat st{};
    if (::fstatat(from.dirfd.get(), from.name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
      return fail_errno("hard link to {}", quote_name(target));
    }
    if (S_ISDIR(st.st_mode)) {
      return fail(ErrorKind::kInvalid, "hard link to {}, which is a directory", quote_name(target));
    }
    if (whiteouts_ != nullptr && !whiteouts_->holds(st)) {
      return fail(ErrorKind::kInvalid, "hard link to {}, which is not in the same layer",
                  quote_name(target));
    }
    if (target == path) return {};  // a second mention of the same name
    // Without AT_SYMLINK_FOLLOW, a link to a symbolic link is a link to the link itself.
    TRY(make_node(place, [&] {
          return ::linkat(from.dirfd.get(), from.name.c_str(), place.dirfd, place.name.c_str(), 0);
        }).context("hard link to " + quote_name(target)));
    return {};
  }

  Result<void> make_special(const TarEntry& entry, const RootedTree::Place& place, mode_t type,
                            dev_t device) {
    if (type == S_IFCHR && device == makedev(0, 0)) {
      return fail(ErrorKind::kInvalid, "device 0:0 is an overlay's whiteout, not a device");
    }
    TRY(make_node(place,
                  [&] { return ::mknodat(place.dirfd, place.name.c_str(), type | 0600, device); }));
    return set_attributes_at(place.dirfd, place.name, entry);
  }

  /// Last, for every entry made in a directory changes its time.
  Result<void> set_directory_times() {
    for (const auto& [path, mtime] : directories_) {
      const auto dir =
          sys::open_beneath(tree_.root(), path.empty() ? "." : path, O_RDONLY | O_DIRECTORY);
      if (!dir.ok()) continue;  // a later entry took its place
      const timespec times[2] = {mtime, mtime};
      if (::futimens(dir->get(), times) != 0) return fail_errno("set time of {}", quote_name(path));
    }
    return {};
  }

  Whiteouts* whiteouts_;
  RootedTree tree_;
  TarReader reader_;
  ApplyLimits limits_;
  FileWriter files_;
  AppliedLayer done_;
  std::unordered_map<std::string, timespec> directories_;  // those listed, by their real paths
  std::size_t directory_bytes_ = 0;
  bool cleared_ = false;  // the current entry took the place of something
};

}  // namespace

Result<AppliedLayer> apply_layer(const ApplyTarget& target, ByteSource& tar,
                                 const ApplyLimits& limits) {
  const auto applied = TRY(Applier(target, TRY(TarReader::open(tar)), limits).run());
  TRY(drain(tar));
  return applied;
}

}  // namespace berth::image
