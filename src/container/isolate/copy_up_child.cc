#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstddef>

#include "container/isolate/copy_up.h"

namespace berth::container {
namespace {

constexpr std::size_t kNames = 2048;  // bytes of names read at once, of each directory on the way
constexpr std::size_t kMaxAttributes = 4096;

// A pair of descriptors, one of each tree.
struct Pair {
  int from = -1;
  int to = -1;
  bool is_open() const { return from >= 0 && to >= 0; }
  // Keeps errno.
  void close() const {
    const int saved = errno;
    ::close(from);
    ::close(to);
    errno = saved;
  }
};

bool copy_attributes(const Pair& file) {
  static char names[kMaxAttributes];
  static char value[kMaxAttributes];
  const ssize_t size = ::flistxattr(file.from, names, sizeof names);
  if (size < 0) return errno == ENOTSUP;
  for (const char* name = names; name < names + size; name += ::strlen(name) + 1) {
    const ssize_t length = ::fgetxattr(file.from, name, value, sizeof value);
    if (length < 0) return false;
    // A tmpfs does not take all kinds, nor does a user namespace permit them.
    if (::fsetxattr(file.to, name, value, static_cast<std::size_t>(length), 0) != 0 &&
        errno != ENOTSUP && errno != EPERM)
      return false;
  }
  return true;
}

// Owner before mode, which a change of owner cuts down; times last.
bool copy_properties(const Pair& file, const struct stat& found) {
  const timespec times[] = {found.st_atim, found.st_mtim};
  return ::fchown(file.to, found.st_uid, found.st_gid) == 0 &&
         ::fchmod(file.to, found.st_mode & 07777) == 0 && copy_attributes(file) &&
         ::futimens(file.to, times) == 0;
}

bool copy_bytes(const Pair& file) {
  for (;;) {
    const ssize_t sent = ::sendfile(file.to, file.from, nullptr, INT_MAX);
    if (sent == 0) return true;
    if (sent < 0 && errno != EINTR) return false;
  }
}

bool copy_file(const Pair& parent, const char* name, const struct stat& found) {
  Pair file;
  file.from = ::openat(parent.from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (file.from >= 0)
    file.to = ::openat(parent.to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  const bool copied = file.is_open() && copy_bytes(file) && copy_properties(file, found);
  file.close();
  return copied;
}

bool copy_link(const Pair& parent, const char* name, const struct stat& found) {
  char target[PATH_MAX];
  const ssize_t length = ::readlinkat(parent.from, name, target, sizeof target - 1);
  if (length < 0) return false;
  target[length] = '\0';
  return ::symlinkat(target, parent.to, name) == 0 &&
         ::fchownat(parent.to, name, found.st_uid, found.st_gid, AT_SYMLINK_NOFOLLOW) == 0;
}

bool copy_node(const Pair& parent, const char* name, const struct stat& found) {
  return ::mknodat(parent.to, name, found.st_mode, found.st_rdev) == 0 &&
         ::fchownat(parent.to, name, found.st_uid, found.st_gid, AT_SYMLINK_NOFOLLOW) == 0 &&
         ::fchmodat(parent.to, name, found.st_mode & 07777, 0) == 0;
}

bool copy_content(const Pair& directory, int depth);

bool copy_subdirectory(const Pair& parent, const char* name, const struct stat& found, int depth) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  if (::mkdirat(parent.to, name, 0700) != 0) return false;
  const Pair directory{::openat(parent.from, name, kFlags), ::openat(parent.to, name, kFlags)};
  const bool copied = directory.is_open() && copy_content(directory, depth + 1) &&
                      copy_properties(directory, found);
  directory.close();
  return copied;
}

bool copy_entry(const Pair& parent, const char* name, int depth) {
  struct stat found = {};
  if (::fstatat(parent.from, name, &found, AT_SYMLINK_NOFOLLOW) != 0) return false;
  if (S_ISDIR(found.st_mode)) return copy_subdirectory(parent, name, found, depth);
  if (S_ISREG(found.st_mode)) return copy_file(parent, name, found);
  if (S_ISLNK(found.st_mode)) return copy_link(parent, name, found);
  return copy_node(parent, name, found);
}

// readdir(3) has a heap; the call itself has not.
bool copy_content(const Pair& directory, int depth) {
  if (depth > kMaxCopyDepth) {
    errno = ELOOP;
    return false;
  }
  alignas(dirent64) char names[kNames];
  for (;;) {
    const long size = ::syscall(SYS_getdents64, directory.from, names, sizeof names);
    if (size <= 0) return size == 0;
    for (long at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const dirent64*>(names + at);
      at += entry->d_reclen;
      const char* name = entry->d_name;
      if (::strcmp(name, ".") == 0 || ::strcmp(name, "..") == 0) continue;
      if (!copy_entry(directory, name, depth)) return false;
    }
  }
}

}  // namespace

bool copy_directory(int from, int to) {
  return copy_content({from, to}, 1);
}

}  // namespace berth::container
