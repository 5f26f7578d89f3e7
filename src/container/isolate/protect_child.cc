#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "container/isolate/mounts.h"
#include "container/isolate/paths.h"
#include "container/isolate/protect.h"

namespace berth::container {
namespace {

int clone_mount(int descriptor, unsigned flags = 0) {
  return ::open_tree(descriptor, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | flags);
}

bool open_null_device(Child& child) {
  child.null_device = ::open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
  struct stat found = {};
  if (child.null_device < 0 || ::fstat(child.null_device, &found) != 0)
    return child.fail(Step::kNullDevice);
  const bool genuine = S_ISCHR(found.st_mode) && found.st_rdev == ::makedev(1, 3);
  return genuine || child.fail_with(ENODEV, Step::kNullDevice);
}

int make_empty_directory(const std::string& context_label) {
  const int context = ::fsopen("tmpfs", FSOPEN_CLOEXEC);
  if (context < 0) return -1;
  int mount = -1;
  const bool labelled = context_label.empty() || ::fsconfig(context, FSCONFIG_SET_STRING, "context",
                                                            context_label.c_str(), 0) == 0;
  if (labelled && ::fsconfig(context, FSCONFIG_SET_STRING, "size", "4k", 0) == 0 &&
      ::fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0)
    mount = ::fsmount(context, FSMOUNT_CLOEXEC,
                      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  ::close(context);
  return mount;
}

// One tmpfs serves all masked directories: clones of the first mount, which is attached by the time
// they are made.
bool mask(const Child& child, const ProtectPlan& plan, int target, int* empty) {
  struct stat found = {};
  if (::fstat(target, &found) != 0) return false;
  if (!S_ISDIR(found.st_mode)) {
    const int null = clone_mount(child.null_device);
    const bool covered = null >= 0 && attach_mount(null, target);
    ::close(null);
    return covered;
  }
  if (*empty < 0) {
    *empty = make_empty_directory(plan.mount_label);
    return *empty >= 0 && attach_mount(*empty, target);
  }
  const int directory = clone_mount(*empty);
  const bool covered = directory >= 0 && attach_mount(directory, target);
  ::close(directory);
  return covered;
}

bool make_read_only(int target) {
  const int mount = clone_mount(target, static_cast<unsigned>(AT_RECURSIVE));
  if (mount < 0) return false;
  struct mount_attr attributes = {};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  const bool covered =
      ::mount_setattr(mount, "", AT_EMPTY_PATH | static_cast<unsigned>(AT_RECURSIVE), &attributes,
                      sizeof attributes) == 0 &&
      attach_mount(mount, target);
  ::close(mount);
  return covered;
}

bool is_absent(int error) {
  return error == ENOENT || error == ENOTDIR;
}

}  // namespace

bool enter_protect(Child& child, const ProtectPlan& plan) {
  if (!plan.masked.empty() && !open_null_device(child)) return false;
  int empty = -1;
  for (std::size_t i = 0; i < plan.read_only.size(); ++i) {
    const int target = open_in_root(child.root, plan.read_only[i].c_str());
    if (target < 0 && is_absent(errno)) continue;
    if (target < 0 || !make_read_only(target)) return child.fail(Step::kReadonlyPath, i);
    ::close(target);
  }
  for (std::size_t i = 0; i < plan.masked.size(); ++i) {
    const int target = open_in_root(child.root, plan.masked[i].c_str());
    if (target < 0 && is_absent(errno)) continue;
    if (target < 0 || !mask(child, plan, target, &empty)) return child.fail(Step::kMaskPath, i);
    ::close(target);
  }
  ::close(empty);
  return true;
}

}  // namespace berth::container
