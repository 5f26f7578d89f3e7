#include "image/archive/whiteout.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <unordered_set>
#include <vector>

#include "sys/dir.h"

namespace berth::image {
namespace {

constexpr const char* kOpaque = "trusted.overlay.opaque";

/// False if there is nothing called `name`.
Result<bool> stat_entry(int dirfd, const std::string& name, struct stat& st) {
  if (::fstatat(dirfd, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) return true;
  if (errno == ENOENT) return false;
  return fail_errno("stat {}", name);
}

/// Removes the marks in directories that later became opaque, or are inside of such.
class Unneeded final : public sys::TreeVisitor {
 public:
  explicit Unneeded(int root) : hidden_{is_overlay_opaque(root)} {}

  Result<void> file(int dirfd, const std::string& name, unsigned char type) override {
    struct stat st{};
    if (!hidden_.back() || type != DT_CHR || !TRY(stat_entry(dirfd, name, st))) return {};
    if (!is_overlay_whiteout(st) || ::unlinkat(dirfd, name.c_str(), 0) == 0) return {};
    return fail_errno("remove {}", name);
  }
  Result<void> enter(int, const std::string&, int opened) override {
    hidden_.push_back(hidden_.back() || is_overlay_opaque(opened));
    return {};
  }
  Result<void> leave(int, const std::string&) override {
    hidden_.pop_back();
    return {};
  }

 private:
  std::vector<bool> hidden_;  // by the directory the walk is in, or one above it
};

class OverlayWhiteouts final : public Whiteouts {
 public:
  Result<void> added(int, const std::string&) override { return {}; }
  Result<void> entered(int) override { return {}; }
  bool holds(const struct stat& st) const override { return !is_overlay_whiteout(st); }

  bool is_opaque(int dirfd) const override { return is_overlay_opaque(dirfd); }
  bool is_removed(int, const std::string&) const override { return false; }  // a mark has the name

  Result<void> remove(int dirfd, const std::string& name) override {
    if (::mknodat(dirfd, name.c_str(), S_IFCHR, makedev(0, 0)) == 0) {
      has_marks_ = true;
      return {};
    }
    if (errno != EEXIST) return fail_errno("make whiteout of {}", name);
    struct stat st{};
    if (!TRY(stat_entry(dirfd, name, st)) || !S_ISDIR(st.st_mode)) return {};
    const UniqueFd dir = TRY(sys::open_dir_at(dirfd, name));
    return make_opaque(dir.get());
  }

  Result<void> make_opaque(int dirfd) override {
    if (::fsetxattr(dirfd, kOpaque, "y", 1, 0) != 0) return fail_errno("make a directory opaque");
    may_hide_marks_ |= has_marks_;
    return {};
  }

  Result<void> finish(int root, std::span<const int> lowers) override {
    if (may_hide_marks_) {
      Unneeded unneeded(root);
      TRY(sys::walk_tree(root, unneeded));
    }
    if (!is_overlay_opaque(root)) return {};
    return hide_below_root(root, lowers);
  }

 private:
  /// An overlay always merges its layers' roots, opaque or not: their names are hidden one by one.
  Result<void> hide_below_root(int root, std::span<const int> lowers) {
    for (const int lower : lowers) {
      for (const auto& entry : TRY(sys::list_dir(lower))) TRY(remove(root, entry.name));
      if (is_overlay_opaque(lower)) break;
    }
    return {};
  }

  bool has_marks_ = false;
  bool may_hide_marks_ = false;  // a directory became opaque after a mark was made somewhere
};

/// While the layer is unpacked, the mark is a file of the name that is gone, as an overlay's is a
/// device: whoever walks the tree meets it there. It gets its own name at the end.
class FileWhiteouts final : public Whiteouts {
 public:
  Result<void> added(int dirfd, const std::string& name) override {
    // A number that a mark gave up may come back.
    if (struct stat st{}; !marks_.empty() && TRY(stat_entry(dirfd, name, st))) {
      marks_.erase(st.st_ino);
    }
    return {};
  }
  Result<void> entered(int) override { return {}; }
  bool holds(const struct stat& st) const override { return !marks_.contains(st.st_ino); }
  bool is_opaque(int dirfd) const override { return has_opaque_mark(dirfd); }
  bool is_removed(int dirfd, const std::string& name) const override {
    return has_mark(dirfd, name);
  }

  Result<void> remove(int dirfd, const std::string& name) override {
    const UniqueFd mark(
        ::openat(dirfd, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0));
    struct stat st{};
    if (mark.valid()) {
      if (::fstat(mark.get(), &st) != 0) return fail_errno("stat whiteout of {}", name);
      marks_.insert(st.st_ino);
      return {};
    }
    if (errno != EEXIST) return fail_errno("make whiteout of {}", name);
    if (!TRY(stat_entry(dirfd, name, st)) || !S_ISDIR(st.st_mode)) return {};
    const UniqueFd dir = TRY(sys::open_dir_at(dirfd, name));
    return make_opaque(dir.get());
  }

  Result<void> make_opaque(int dirfd) override {
    const UniqueFd mark(
        ::openat(dirfd, kOpaqueMark, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0));
    struct stat st{};
    if (!mark.valid() || ::fstat(mark.get(), &st) != 0) {
      return fail_errno("make a directory opaque");
    }
    marks_.insert(st.st_ino);
    return {};
  }

  Result<void> finish(int root, std::span<const int>) override {
    if (marks_.empty()) return {};
    Rename rename(*this);
    return sys::walk_tree(root, rename);
  }

 private:
  class Rename final : public sys::TreeVisitor {
   public:
    explicit Rename(const FileWhiteouts& owner) : owner_(owner) {}
    Result<void> file(int dirfd, const std::string& name, unsigned char type) override {
      struct stat st{};
      if (type != DT_REG || !TRY(stat_entry(dirfd, name, st)) || owner_.holds(st)) return {};
      const std::string mark = std::string(kMarkPrefix) + name;
      // A directory is read while it changes: the mark may be met again under its own name.
      if (name.starts_with(kMarkPrefix)) return {};
      if (::renameat(dirfd, name.c_str(), dirfd, mark.c_str()) == 0) return {};
      // A name that leaves no room for the prefix: the program knows an overlay's mark as well.
      if (errno == ENAMETOOLONG && ::unlinkat(dirfd, name.c_str(), 0) == 0) {
        if (::mknodat(dirfd, name.c_str(), S_IFCHR, makedev(0, 0)) == 0) return {};
        return fail_errno("no name of more than {} bytes can be hidden on this file system",
                          NAME_MAX - kMarkPrefix.size())
            .with_kind(ErrorKind::kUnsupported);
      }
      return fail_errno("make whiteout of {}", name);
    }
    Result<void> enter(int, const std::string&, int) override { return {}; }
    Result<void> leave(int, const std::string&) override { return {}; }

   private:
    const FileWhiteouts& owner_;
  };

  std::unordered_set<ino_t> marks_;
};

/// Removes everything below a directory but what the layer itself brought, and the directories that
/// lead there.
class DeletingWhiteouts final : public Whiteouts {
 public:
  Result<void> added(int dirfd, const std::string& name) override {
    struct stat st{};
    // Inode numbers, not names: one file can be reached by several through symbolic links. A number
    // that is freed can only come back for another file of this layer.
    if (TRY(stat_entry(dirfd, name, st))) kept_.insert(st.st_ino);
    return {};
  }

  Result<void> entered(int dirfd) override {
    struct stat st{};
    if (::fstat(dirfd, &st) != 0) return fail_errno("stat a directory");
    kept_.insert(st.st_ino);
    return {};
  }

  bool holds(const struct stat& st) const override { return kept_.contains(st.st_ino); }
  bool is_opaque(int) const override { return false; }  // nothing is further down
  bool is_removed(int, const std::string&) const override { return false; }

  Result<void> remove(int dirfd, const std::string& name) override {
    struct stat st{};
    if (!TRY(stat_entry(dirfd, name, st))) return {};
    if (!S_ISDIR(st.st_mode)) return remove_unless_kept(dirfd, name, st, 0);
    {
      const UniqueFd dir = TRY(sys::open_dir_at(dirfd, name));
      TRY(make_opaque(dir.get()));
    }
    return remove_unless_kept(dirfd, name, st, AT_REMOVEDIR);
  }

  Result<void> make_opaque(int dirfd) override {
    struct stat st{};
    if (::fstat(dirfd, &st) != 0) return fail_errno("stat a directory");
    // What came from below does not come back: once is enough, however often it is said.
    if (!purged_.insert(st.st_ino).second) return {};
    Purge purge(*this);
    return sys::walk_tree(dirfd, purge);
  }

  Result<void> finish(int, std::span<const int>) override { return {}; }

 private:
  class Purge final : public sys::TreeVisitor {
   public:
    explicit Purge(const DeletingWhiteouts& owner) : owner_(owner) {}
    Result<void> file(int dirfd, const std::string& name, unsigned char) override {
      struct stat st{};
      if (!TRY(stat_entry(dirfd, name, st))) return {};
      return owner_.remove_unless_kept(dirfd, name, st, 0);
    }
    Result<void> enter(int, const std::string&, int) override { return {}; }
    Result<void> leave(int dirfd, const std::string& name) override {
      struct stat st{};
      if (!TRY(stat_entry(dirfd, name, st))) return {};
      return owner_.remove_unless_kept(dirfd, name, st, AT_REMOVEDIR);
    }

   private:
    const DeletingWhiteouts& owner_;
  };

  Result<void> remove_unless_kept(int dirfd, const std::string& name, const struct stat& st,
                                  int flags) const {
    if (kept_.contains(st.st_ino)) return {};
    // ENOTEMPTY: something inside is of this layer.
    if (::unlinkat(dirfd, name.c_str(), flags) == 0 || errno == ENOENT || errno == ENOTEMPTY) {
      return {};
    }
    return fail_errno("remove {}", name);
  }

  std::unordered_set<ino_t> kept_;
  std::unordered_set<ino_t>
      purged_;  // directories; a number that is freed comes back as the layer's
};

}  // namespace

std::unique_ptr<Whiteouts> overlay_whiteouts() {
  return std::make_unique<OverlayWhiteouts>();
}
std::unique_ptr<Whiteouts> file_whiteouts() {
  return std::make_unique<FileWhiteouts>();
}
std::unique_ptr<Whiteouts> deleting_whiteouts() {
  return std::make_unique<DeletingWhiteouts>();
}

bool is_overlay_whiteout(const struct stat& st) {
  return S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0);
}

bool is_overlay_opaque(int dirfd) {
  char value = 0;
  return ::fgetxattr(dirfd, kOpaque, &value, 1) == 1 && value == 'y';
}

bool has_mark(int dirfd, const std::string& name) {
  struct stat st{};
  return ::fstatat(dirfd, (std::string(kMarkPrefix) + name).c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool has_opaque_mark(int dirfd) {
  struct stat st{};
  return ::fstatat(dirfd, kOpaqueMark, &st, AT_SYMLINK_NOFOLLOW) == 0 || is_overlay_opaque(dirfd);
}

}  // namespace berth::image
