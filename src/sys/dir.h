// Directories by descriptor: making, listing, walking and removing trees that others may have
// filled. Nothing here follows a symbolic link below the directory it was given, crosses a mount,
// or recurses on the stack. Thread-safe.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace berth::sys {

/// Opens a directory for reading and as a base of *at calls. Symbolic links in `path` are followed.
Result<UniqueFd> open_dir(const std::string& path);
/// Opens `name`, one component, in `dirfd`. A symbolic link is an error.
Result<UniqueFd> open_dir_at(int dirfd, const std::string& name);

/// mkdir -p; directories that exist keep their mode.
Result<void> make_dirs(const std::string& path, mode_t mode = 0755);
/// Makes the directory `name` in `dirfd` unless it exists, and opens it.
Result<UniqueFd> make_dir_at(int dirfd, const std::string& name, mode_t mode = 0755);

struct DirEntry {
  std::string name;
  unsigned char type;  // DT_REG, DT_DIR, ...: readdir(3), never DT_UNKNOWN
};
/// Every entry but "." and "..", in no order. `dirfd`'s position does not matter and is kept.
Result<std::vector<DirEntry>> list_dir(int dirfd);

/// What walk_tree() calls. `dirfd` is the directory that holds `name`, borrowed for the call.
/// Entries that are not directories come before those that are; leave() follows everything inside.
class TreeVisitor {
 public:
  virtual ~TreeVisitor() = default;
  virtual Result<void> file(int dirfd, const std::string& name, unsigned char type) = 0;
  /// `opened` is the directory itself, borrowed for the call.
  virtual Result<void> enter(int dirfd, const std::string& name, int opened) = 0;
  virtual Result<void> leave(int dirfd, const std::string& name) = 0;
};
/// Visits everything below `root`, `root` itself not. Depth is limited by memory alone; at most 32
/// descriptors are open. Stops at the first error. A mount point below is kConflict; so is a
/// directory that is moved away meanwhile.
Result<void> walk_tree(int root, TreeVisitor& visitor);

/// rm -rf of `name`, one component, in `dirfd`. A name that does not exist is no error. A mount
/// point below it is kConflict, and what it shows stays untouched; other entries may be gone by
/// then, as they are when it is given up (kConflict) because `stop` was requested.
Result<void> remove_tree(int dirfd, const std::string& name, const std::stop_token& stop = {});

/// Removes what a crash within write_file_atomic() left in `dirfd`.
Result<void> remove_temp_files(int dirfd);

/// Holds a directory for one process: an exclusive flock(2), released by the destructor or by
/// death.
class DirLock {
 public:
  /// kConflict, at once, if another process (or another lock in this one) holds it.
  static Result<DirLock> acquire(const std::string& path);
  /// The locked directory, borrowed.
  int fd() const { return fd_.get(); }

 private:
  explicit DirLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace berth::sys
