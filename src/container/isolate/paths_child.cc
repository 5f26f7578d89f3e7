#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "container/isolate/paths.h"

namespace berth::container {
namespace {

// A rename of ".." elsewhere makes openat2 give up with EAGAIN; nobody renames for that long but to
// keep us here.
constexpr int kMaxTries = 128;

int open_at(int directory, const char* path, int flags, std::uint64_t resolve) {
  struct open_how how = {};
  how.flags = static_cast<std::uint64_t>(O_PATH | O_CLOEXEC | flags);
  how.resolve = resolve;
  for (int i = 0; i < kMaxTries; ++i) {
    const long fd = ::syscall(SYS_openat2, directory, path, &how, sizeof how);
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) return static_cast<int>(fd);
  }
  return -1;
}

// Makes `name` in `parent` and opens it, without following anything.
int make_one(int parent, const char* name, PathKind kind) {
  if (kind == PathKind::kDirectory) {
    if (::mkdirat(parent, name, 0755) != 0) return -1;
  } else {
    const int file =
        ::openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (file < 0) return -1;
    ::close(file);
  }
  return open_at(parent, name, O_NOFOLLOW, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

const char* skip_slashes(const char* at) {
  while (*at == '/') ++at;
  return at;
}

}  // namespace

int open_in_root(int root, const char* path, int flags, std::uint64_t resolve) {
  return open_at(root, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve);
}

int create_in_root(int root, const char* path, PathKind kind, std::uint64_t resolve) {
  const int whole =
      open_in_root(root, path, kind == PathKind::kDirectory ? O_DIRECTORY : 0, resolve);
  if (whole >= 0 || errno != ENOENT) return whole;
  char prefix[PATH_MAX];
  if (::strlen(path) >= sizeof prefix) {
    errno = ENAMETOOLONG;
    return -1;
  }
  // Each longer prefix is resolved from the root again, so that symlinks to directories mean what
  // they will mean inside.
  int parent = open_in_root(root, "/", O_DIRECTORY, resolve);
  for (const char* name = skip_slashes(path); parent >= 0 && *name != '\0';) {
    const char* end = name;
    while (*end != '\0' && *end != '/') ++end;
    const bool last = *skip_slashes(end) == '\0';
    const auto length = static_cast<std::size_t>(end - path);
    ::memcpy(prefix, path, length);
    prefix[length] = '\0';
    const PathKind wanted = last ? kind : PathKind::kDirectory;
    int next =
        open_in_root(root, prefix, wanted == PathKind::kDirectory ? O_DIRECTORY : 0, resolve);
    if (next < 0 && errno == ENOENT) next = make_one(parent, prefix + (name - path), wanted);
    const int saved = errno;
    ::close(parent);
    errno = saved;
    parent = next;
    name = skip_slashes(end);
  }
  return parent;
}

int create_parent_in_root(int root, const char* path, const char** name) {
  const char* slash = ::strrchr(path, '/');
  char parent[PATH_MAX];
  const std::size_t length = slash ? static_cast<std::size_t>(slash - path) : 0;
  if (!slash || length >= sizeof parent) {
    errno = ENAMETOOLONG;
    return -1;
  }
  ::memcpy(parent, path, length);
  parent[length] = '\0';
  *name = slash + 1;
  return create_in_root(root, length == 0 ? "/" : parent, PathKind::kDirectory);
}

}  // namespace berth::container
