#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "container/isolate/paths.h"
#include "container/isolate/rootfs.h"

namespace berth::container {
namespace {

bool attach_at(int mount, const char* path) {
  return ::move_mount(mount, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) == 0;
}

int open_directory(const char* path) {
  return ::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

// Mounts one layer of the root on plan.path; child.root is the mount on top.
bool mount_layer(Child& child, const RootfsPlan& plan, std::size_t index) {
  const MountPlan& layer = plan.mounts[index];
  Step step = Step::kMountFilesystem;
  int mount = layer.premade >= 0 ? layer.premade : make_mount(layer, &step);
  if (mount < 0) {
    if (!may_mount_classic(layer, step) || !mount_classic(layer, plan.path.c_str()))
      return child.fail(Step::kRootfsMount, index);
    mount = open_directory(plan.path.c_str());
    if (mount < 0) return child.fail(Step::kOpenRootfs);
  } else if (!attach_at(mount, plan.path.c_str())) {
    return child.fail(Step::kRootfsAttach, index);
  }
  child.root = mount;
  return true;
}

// A copy of the tree with what the host mounted below it, for pivot_root wants a mount.
bool open_tree_of(Child& child, const RootfsPlan& plan) {
  child.root =
      ::open_tree(AT_FDCWD, plan.path.c_str(),
                  OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | static_cast<unsigned>(AT_RECURSIVE));
  return child.root >= 0 || child.fail(Step::kOpenRootfs);
}

}  // namespace

bool enter_host_proc(Child& child) {
  child.proc = open_directory("/proc");
  struct statfs kind = {};
  if (child.proc < 0 || ::fstatfs(child.proc, &kind) != 0) return child.fail(Step::kHostProc);
  return kind.f_type == PROC_SUPER_MAGIC || child.fail_with(ENOTSUP, Step::kHostProc);
}

bool enter_rootfs(Child& child, const RootfsPlan& plan) {
  if (plan.host_mounts.valid()) {
    child.host_mounts = plan.host_mounts.get();
    child.host_root = plan.host_root.get();
    child.own_mounts = ::openat(child.proc, "self/ns/mnt", O_RDONLY | O_CLOEXEC);
    if (child.own_mounts < 0) return child.fail(Step::kHostProc);
  }
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0)
    return child.fail(Step::kPropagation);
  if (plan.mounts.empty())
    return open_tree_of(child, plan) &&
           (attach_at(child.root, plan.path.c_str()) || child.fail(Step::kRootfsAttach));
  for (std::size_t i = 0; i < plan.mounts.size(); ++i)
    if (!mount_layer(child, plan, i)) return false;
  return true;
}

bool open_shared_root(Child& child, const RootfsPlan& plan) {
  return open_tree_of(child, plan);
}

bool attach_shared_root(Child& child, const RootfsPlan& plan) {
  struct mount_attr attributes = {};
  attributes.propagation = MS_PRIVATE;
  constexpr unsigned kAll = AT_EMPTY_PATH | AT_RECURSIVE;
  // Once before: what is mounted below would be passed on. Once after: on a shared mount it became
  // one.
  if (::mount_setattr(child.root, "", kAll, &attributes, sizeof attributes) != 0)
    return child.fail(Step::kPropagation);
  if (!attach_at(child.root, plan.path.c_str())) return child.fail(Step::kRootfsAttach);
  return ::mount_setattr(child.root, "", kAll, &attributes, sizeof attributes) == 0 ||
         child.fail(Step::kPropagation);
}

bool change_root(Child& child, int root) {
  if (root < 0) return true;
  return (::fchdir(root) == 0 && ::chroot(".") == 0 && ::chdir("/") == 0) ||
         child.fail(Step::kChangeRoot);
}

bool enter_pivot(Child& child, const RootfsPlan& plan) {
  const int directory =
      create_in_root(child.root, plan.working_directory.c_str(), PathKind::kDirectory);
  if (directory < 0) return child.fail(Step::kMakeWorkingDirectory);
  ::close(directory);
  if (plan.readonly) {
    struct mount_attr attributes = {};
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    if (::mount_setattr(child.root, "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0)
      return child.fail(Step::kReadonlyRoot);
  }
  if (plan.shared) {
    if (!change_root(child, child.root)) return false;
    // The old root ends up on top of the new one, where one umount removes it: pivot_root(2),
    // NOTES. No directory of the image is needed to put it in.
  } else if (::fchdir(child.root) != 0 || ::syscall(SYS_pivot_root, ".", ".") != 0 ||
             ::umount2(".", MNT_DETACH) != 0 || ::chdir("/") != 0) {
    return child.fail(Step::kPivotRoot);
  }
  if (plan.propagation.kind != 0) {
    auto flags = static_cast<unsigned long>(plan.propagation.kind);
    if (plan.propagation.recursive) flags |= MS_REC;
    if (::mount(nullptr, "/", nullptr, flags, nullptr) != 0) return child.fail(Step::kPropagation);
  }
  return true;
}

}  // namespace berth::container
