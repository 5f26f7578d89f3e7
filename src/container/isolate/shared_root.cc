#include "container/isolate/shared_root.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/stat.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <optional>

#include "base/unique_fd.h"
#include "sys/file.h"
#include "sys/process.h"

#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x00004000U
#endif

namespace berth::container {
namespace {

constexpr int kCovered = 255;  // an exit code that is no errno

std::uint64_t mount_id(int fd, unsigned kind) {
  struct statx found = {};
  const bool known = ::syscall(SYS_statx, fd, "", AT_EMPTY_PATH, kind, &found) == 0 &&
                     (found.stx_mask & kind) != 0;
  return known ? found.stx_mnt_id : 0;
}

std::uint64_t inode_of(const std::string& path) {
  struct statx found = {};
  const bool known = ::syscall(SYS_statx, AT_FDCWD, path.c_str(), 0, STATX_INO, &found) == 0;
  return known ? found.stx_ino : 0;
}

// "\040" is a blank.
std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char code = 0;
    const bool escaped =
        text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 4, code, 8).ec == std::errc();
    plain += escaped ? static_cast<char>(code) : text[i];
    if (escaped) i += 3;
  }
  return plain;
}

// Where the mount of that number is: fields 1 and 5.
std::optional<std::string> mount_point(std::string_view mountinfo, std::uint64_t mount) {
  const std::string wanted = std::to_string(mount) + " ";
  while (!mountinfo.empty()) {
    const auto end = std::min(mountinfo.find('\n'), mountinfo.size());
    std::string_view line = mountinfo.substr(0, end);
    mountinfo.remove_prefix(std::min(end + 1, mountinfo.size()));
    if (!line.starts_with(wanted)) continue;
    for (int field = 1; field < 5; ++field) {
      const auto blank = line.find(' ');
      if (blank == std::string_view::npos) return std::nullopt;
      line.remove_prefix(blank + 1);
    }
    return unescape(line.substr(0, line.find(' ')));
  }
  return std::nullopt;
}

struct Place {
  int proc = -1;  // the host's
  int user = -1;  // namespaces to join; -1: none
  int mounts = -1;
};

// In a process of its own, for it changes its namespaces and its directory. errno, 0 or kCovered.
int unmount_root(const Place& place, const SharedRoot& root) {
  if (place.user >= 0 && ::setns(place.user, CLONE_NEWUSER) != 0) return errno;
  if (place.mounts >= 0 && ::setns(place.mounts, CLONE_NEWNS) != 0) return errno;
  const auto mountinfo = sys::read_file_at(place.proc, "self/mountinfo");
  if (!mountinfo.ok()) return EIO;
  const auto path = mount_point(*mountinfo, root.mount);
  if (!path) return 0;
  const int fd = ::open(path->c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  if (mount_id(fd, STATX_MNT_ID) != root.mount) return kCovered;
  // The number was ours once, and is another's by now.
  if (root.unique != 0 && mount_id(fd, STATX_MNT_ID_UNIQUE) != root.unique) return 0;
  // What is bound below may be the host's peer: its end must not be passed on.
  struct mount_attr attributes = {};
  attributes.propagation = MS_PRIVATE;
  if (::mount_setattr(fd, "", AT_EMPTY_PATH | static_cast<unsigned>(AT_RECURSIVE), &attributes,
                      sizeof attributes) != 0)
    return errno;
  return ::fchdir(fd) == 0 && ::umount2(".", MNT_DETACH) == 0 ? 0 : errno;
}

// The namespace at `path` if it still is the one that is meant.
UniqueFd open_joined(const std::string& path, int type, std::uint64_t inode) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (fd.valid() && ::ioctl(fd.get(), NS_GET_NSTYPE) == type &&
      (inode == 0 || inode_of(fmt::format("/proc/self/fd/{}", fd.get())) == inode))
    return fd;
  return {};
}

}  // namespace

Result<SharedRoot> identify_root(int fd, pid_t pid) {
  const SharedRoot root{.mount = mount_id(fd, STATX_MNT_ID),
                        .unique = mount_id(fd, STATX_MNT_ID_UNIQUE),
                        .mount_namespace = inode_of(fmt::format("/proc/{}/ns/mnt", pid))};
  if (root.mount == 0 || root.mount_namespace == 0)
    return fail(ErrorKind::kUnsupported,
                "the kernel does not number mounts (before Linux 5.8): a container here needs a "
                "mount namespace of its own");
  return root;
}

Result<void> remove_shared_root(const Spec& spec, const SharedRoot& root) {
  const Namespace* mounts = find_namespace(spec, NamespaceType::kMount);
  const Namespace* user = find_namespace(spec, NamespaceType::kUser);
  UniqueFd mounts_fd, user_fd;
  if (mounts && !mounts->path.empty()) {
    mounts_fd = open_joined(mounts->path, CLONE_NEWNS, root.mount_namespace);
    if (!mounts_fd.valid()) return {};  // it went with its last process, and its mounts
    if (user && !user->path.empty()) user_fd = open_joined(user->path, CLONE_NEWUSER, 0);
  } else if (inode_of("/proc/self/ns/mnt") != root.mount_namespace) {
    return fail(ErrorKind::kConflict,
                "the container's mounts are in another mount namespace, mnt:[{}]: delete it there",
                root.mount_namespace);
  }
  const UniqueFd proc = TRY(sys::open_file("/proc", O_PATH | O_DIRECTORY));
  auto child = TRY(sys::clone_process({}).context("cannot unmount the container's root"));
  if (child.pid == 0) ::_exit(unmount_root({proc.get(), user_fd.get(), mounts_fd.get()}, root));
  const int error = TRY(sys::wait_process(child.pidfd.get())).shell_code();
  if (error == kCovered)
    return fail(ErrorKind::kConflict,
                "another mount covers the container's root, mount {}: unmount that first",
                root.mount);
  if (error != 0) return Error::from_errno(error, "cannot unmount the container's root");
  return {};
}

}  // namespace berth::container
