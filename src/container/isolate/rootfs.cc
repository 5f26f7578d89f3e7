#include "container/isolate/rootfs.h"

#include <fcntl.h>
#include <linux/stat.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/process.h"

#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x00004000U
#endif

namespace berth::container {
namespace {

// In a process of its own, for it changes its mount namespace and its directory. `join`: -1 or a
// namespace. errno, or 0.
int unmount_root(int join, const char* path, std::uint64_t mount) {
  if (join >= 0 && ::setns(join, CLONE_NEWNS) != 0) return errno;
  const int root = ::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return errno == ENOENT ? 0 : errno;
  struct statx found = {};
  const unsigned wanted = STATX_MNT_ID | STATX_MNT_ID_UNIQUE;
  if (::syscall(SYS_statx, root, "", AT_EMPTY_PATH, wanted, &found) != 0) return errno;
  if (found.stx_mnt_id != mount) return 0;
  return ::fchdir(root) == 0 && ::umount2(".", MNT_DETACH) == 0 ? 0 : errno;
}

}  // namespace

Result<RootfsPlan> plan_rootfs(const Spec& spec, const std::string& bundle,
                               std::span<const sys::MountSpec> mounts) {
  RootfsPlan plan;
  const Namespace* own = find_namespace(spec, NamespaceType::kMount);
  plan.shared = !own || !own->path.empty();
  plan.path = spec.root.path.starts_with('/') ? spec.root.path : bundle + "/" + spec.root.path;
  plan.readonly = spec.root.readonly;
  plan.working_directory = spec.process.cwd;
  for (std::size_t i = 0; i < mounts.size(); ++i)
    plan.mounts.push_back(
        TRY(plan_plain_mount(mounts[i], {}, fmt::format("root mount {}", i), bundle)));
  if (const std::string& word = spec.linux_.rootfs_propagation; !word.empty()) {
    const auto options = TRY(sys::parse_mount_options({&word, 1}));
    plan.propagation = options.propagations.front();
  }
  return plan;
}

Result<std::uint64_t> mount_number(int fd) {
  struct statx found = {};
  const unsigned wanted = STATX_MNT_ID | STATX_MNT_ID_UNIQUE;
  if (::syscall(SYS_statx, fd, "", AT_EMPTY_PATH, wanted, &found) != 0)
    return fail_errno("cannot look at the root's mount");
  return found.stx_mnt_id;
}

Result<void> remove_shared_root(const Spec& spec, const std::string& path, std::uint64_t mount) {
  const Namespace* joined = find_namespace(spec, NamespaceType::kMount);
  UniqueFd fd;
  if (joined && !joined->path.empty()) {
    fd.reset(::open(joined->path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid() && errno == ENOENT) return {};  // it went with its last process, and its mounts
    if (!fd.valid()) return fail_errno("cannot open the mount namespace '{}'", joined->path);
  }
  auto child = TRY(sys::clone_process({}).context("cannot unmount the container's root"));
  if (child.pid == 0) ::_exit(unmount_root(fd.get(), path.c_str(), mount));
  const int error = TRY(sys::wait_process(child.pidfd.get())).shell_code();
  if (error != 0) return Error::from_errno(error, fmt::format("cannot unmount {}", path));
  return {};
}

}  // namespace berth::container
