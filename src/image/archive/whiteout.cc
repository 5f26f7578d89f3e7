#include "image/archive/whiteout.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <unordered_set>

#include "sys/dir.h"

namespace berth::image {
namespace {

/// False if there is nothing called `name`.
Result<bool> stat_entry(int dirfd, const std::string& name, struct stat& st) {
  if (::fstatat(dirfd, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) return true;
  if (errno == ENOENT) return false;
  return fail_errno("stat {}", name);
}

class OverlayWhiteouts final : public Whiteouts {
 public:
  Result<void> added(int, const std::string&) override { return {}; }

  Result<void> remove(int dirfd, const std::string& name) override {
    if (::mknodat(dirfd, name.c_str(), S_IFCHR, makedev(0, 0)) == 0) return {};
    if (errno != EEXIST) return fail_errno("make whiteout of {}", name);
    struct stat st{};
    if (!TRY(stat_entry(dirfd, name, st)) || !S_ISDIR(st.st_mode)) return {};
    const UniqueFd dir = TRY(sys::open_dir_at(dirfd, name));
    return make_opaque(dir.get());
  }

  Result<void> make_opaque(int dirfd) override {
    if (::fsetxattr(dirfd, "trusted.overlay.opaque", "y", 1, 0) == 0) return {};
    return fail_errno("make a directory opaque");
  }
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
    Purge purge(*this);
    return sys::walk_tree(dirfd, purge);
  }

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
};

}  // namespace

std::unique_ptr<Whiteouts> overlay_whiteouts() {
  return std::make_unique<OverlayWhiteouts>();
}
std::unique_ptr<Whiteouts> deleting_whiteouts() {
  return std::make_unique<DeletingWhiteouts>();
}

bool is_overlay_whiteout(const struct stat& st) {
  return S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0);
}

}  // namespace berth::image
