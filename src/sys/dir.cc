#include "sys/dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "sys/file.h"

namespace berth::sys {
namespace {

struct CloseDir {
  void operator()(DIR* stream) const { ::closedir(stream); }
};
using DirStream = std::unique_ptr<DIR, CloseDir>;

/// A stream with a position of its own: dup(2) would share the caller's.
Result<DirStream> open_stream(int dirfd) {
  UniqueFd fd = TRY(open_at(dirfd, ".", O_RDONLY | O_DIRECTORY));
  DirStream stream(::fdopendir(fd.get()));
  if (!stream) return fail_errno("read directory");
  (void)fd.release();  // the stream owns it
  return stream;
}

bool is_dot(std::string_view name) {
  return name == "." || name == "..";
}

/// Some file systems do not tell the type in the directory (readdir(3)).
Result<unsigned char> type_of(int dirfd, const dirent& entry) {
  if (entry.d_type != DT_UNKNOWN) return entry.d_type;
  struct stat st{};
  if (::fstatat(dirfd, entry.d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
    return fail_errno("stat {}", entry.d_name);
  }
  return static_cast<unsigned char>(IFTODT(st.st_mode));
}

/// Calls `visit(name, type)` for every entry as it is read, so that memory does not grow with the
/// directory.
template <typename Visit>
Result<void> for_each_entry(int dirfd, Visit visit) {
  const DirStream stream = TRY(open_stream(dirfd));
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) {
      if (errno != 0) return fail_errno("read directory");
      return {};
    }
    if (is_dot(entry->d_name)) continue;
    const unsigned char type = TRY(type_of(dirfd, *entry));
    TRY(visit(std::string(entry->d_name), type));
  }
}

}  // namespace

Result<UniqueFd> open_dir(const std::string& path) {
  return open_file(path, O_RDONLY | O_DIRECTORY);
}

Result<UniqueFd> open_dir_at(int dirfd, const std::string& name) {
  return open_at(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

Result<void> make_dirs(const std::string& path, mode_t mode) {
  if (path.empty()) return fail(ErrorKind::kInvalid, "make directory: the path is empty");
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), mode) != 0 && errno != EEXIST) {
      return fail_errno("make directory {}", part);
    }
    if (end == std::string::npos) break;
  }
  TRY(open_dir(path));  // EEXIST may have been about a file
  return {};
}

Result<UniqueFd> make_dir_at(int dirfd, const std::string& name, mode_t mode) {
  if (::mkdirat(dirfd, name.c_str(), mode) != 0 && errno != EEXIST) {
    return fail_errno("make directory {}", name);
  }
  return open_dir_at(dirfd, name);
}

Result<std::vector<DirEntry>> list_dir(int dirfd) {
  std::vector<DirEntry> entries;
  TRY(for_each_entry(dirfd, [&](std::string name, unsigned char type) -> Result<void> {
    entries.push_back({std::move(name), type});
    return {};
  }));
  return entries;
}

namespace {

/// Directories from the root to here; beyond this many, the upper ones' descriptors are given up
/// and found again through "..".
constexpr std::size_t kMaxOpenLevels = 32;

/// The walk's position: one level per directory entered, on the heap.
class TreeWalk {
 public:
  TreeWalk(int root, TreeVisitor& visitor) : root_(root), visitor_(visitor) {}

  Result<void> run() {
    TRY(push("", TRY(open_at(root_, ".", O_RDONLY | O_DIRECTORY))));
    while (!levels_.empty()) {
      if (levels_.back().subdirs.empty()) {
        TRY(ascend());
      } else {
        TRY(descend());
      }
    }
    return {};
  }

 private:
  struct Level {
    std::string name;
    UniqueFd fd;  // invalid while a deep walk below has given it up
    dev_t dev;
    ino_t ino;
    std::vector<std::string> subdirs;  // still to be entered
  };

  Result<void> push(std::string name, UniqueFd fd) {
    struct stat st{};
    if (::fstat(fd.get(), &st) != 0) return fail_errno("stat {}", name);
    Level level{std::move(name), std::move(fd), st.st_dev, st.st_ino, {}};
    const int dirfd = level.fd.get();
    TRY(for_each_entry(dirfd, [&](std::string entry, unsigned char type) -> Result<void> {
      if (type != DT_DIR) return visitor_.file(dirfd, entry, type);
      level.subdirs.push_back(std::move(entry));
      return {};
    }));
    levels_.push_back(std::move(level));
    return {};
  }

  Result<void> descend() {
    Level& level = levels_.back();
    std::string name = std::move(level.subdirs.back());
    level.subdirs.pop_back();
    auto opened = open_beneath(level.fd.get(), name, O_RDONLY | O_DIRECTORY);
    if (!opened.ok()) {
      if (opened.error().os_errno() == EXDEV) {
        return fail(ErrorKind::kConflict, "{} is a mount point", name);
      }
      return std::move(opened).error();
    }
    TRY(visitor_.enter(level.fd.get(), name, opened->get()));
    if (levels_.size() > kMaxOpenLevels) level.fd.reset();
    return push(std::move(name), std::move(*opened));
  }

  Result<void> ascend() {
    Level done = std::move(levels_.back());
    levels_.pop_back();
    if (levels_.empty()) return {};
    Level& parent = levels_.back();
    if (!parent.fd.valid()) {
      parent.fd = TRY(open_at(done.fd.get(), "..", O_RDONLY | O_DIRECTORY));
      struct stat st{};
      if (::fstat(parent.fd.get(), &st) != 0) return fail_errno("stat {}", parent.name);
      if (st.st_dev != parent.dev || st.st_ino != parent.ino) {
        return fail(ErrorKind::kConflict, "{} was moved during the walk", done.name);
      }
    }
    done.fd.reset();
    return visitor_.leave(parent.fd.get(), done.name);
  }

  int root_;
  TreeVisitor& visitor_;
  std::vector<Level> levels_;
};

class RemoveVisitor final : public TreeVisitor {
 public:
  explicit RemoveVisitor(const std::stop_token& stop) : stop_(stop) {}

  Result<void> file(int dirfd, const std::string& name, unsigned char) override {
    if (stop_.stop_requested()) return fail(ErrorKind::kConflict, "the removal was given up");
    return unlink(dirfd, name, 0);
  }
  Result<void> enter(int, const std::string&, int) override { return {}; }
  Result<void> leave(int dirfd, const std::string& name) override {
    return unlink(dirfd, name, AT_REMOVEDIR);
  }

  static Result<void> unlink(int dirfd, const std::string& name, int flags) {
    if (::unlinkat(dirfd, name.c_str(), flags) == 0 || errno == ENOENT) return {};
    return fail_errno("remove {}", name);
  }

 private:
  const std::stop_token& stop_;
};

}  // namespace

Result<void> walk_tree(int root, TreeVisitor& visitor) {
  return TreeWalk(root, visitor).run();
}

Result<void> remove_tree(int dirfd, const std::string& name, const std::stop_token& stop) {
  auto top = open_beneath(dirfd, name, O_RDONLY | O_DIRECTORY);
  if (!top.ok()) {
    switch (top.error().os_errno()) {
      case ENOENT:
        return {};
      case ENOTDIR:
      case ELOOP:
        return RemoveVisitor::unlink(dirfd, name, 0);
      case EXDEV:
        return fail(ErrorKind::kConflict, "remove {}: it is a mount point", name);
      default:
        return std::move(top).context(fmt::format("remove {}", name)).error();
    }
  }
  RemoveVisitor visitor(stop);
  TRY(walk_tree(top->get(), visitor).context(fmt::format("remove {}", name)));
  return RemoveVisitor::unlink(dirfd, name, AT_REMOVEDIR);
}

Result<void> remove_temp_files(int dirfd) {
  return for_each_entry(dirfd, [&](const std::string& name, unsigned char type) -> Result<void> {
    if (type != DT_REG || !name.starts_with(kTempPrefix)) return {};
    return RemoveVisitor::unlink(dirfd, name, 0);
  });
}

Result<DirLock> DirLock::acquire(const std::string& path) {
  UniqueFd fd = TRY(open_dir(path));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return fail(ErrorKind::kConflict, "{} is in use by another process", path);
    }
    return fail_errno("lock {}", path);
  }
  return DirLock(std::move(fd));
}

}  // namespace berth::sys
