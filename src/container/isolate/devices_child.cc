#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "container/isolate/devices.h"
#include "container/isolate/mounts.h"
#include "container/isolate/paths.h"

namespace berth::container {
namespace {

// A node that is there already is fine if it is the very device that was asked for.
bool is_same_node(int directory, const char* name, const DeviceNode& node) {
  struct stat found = {};
  return ::fstatat(directory, name, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
         (found.st_mode & S_IFMT) == (node.mode & S_IFMT) &&
         (S_ISFIFO(node.mode) || found.st_rdev == node.number);
}

bool make_node(int directory, const char* name, const DeviceNode& node) {
  if (::mknodat(directory, name, node.mode, node.number) != 0 &&
      (errno != EEXIST || !is_same_node(directory, name, node)))
    return false;
  if (node.uid == 0 && node.gid == 0) return true;
  return ::fchownat(directory, name, node.uid, node.gid, AT_SYMLINK_NOFOLLOW) == 0;
}

bool bind_node(const Child& child, const DeviceNode& node) {
  const int mount = ::open_tree(AT_FDCWD, node.path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  if (mount < 0) return false;
  const int target = create_in_root(child.root, node.path.c_str(), PathKind::kFile);
  const bool bound = target >= 0 && attach_mount(mount, target);
  ::close(target);
  ::close(mount);
  return bound;
}

bool in_dev(const std::string& path) {
  return path.starts_with("/dev/") && path.find('/', sizeof "/dev/" - 1) == std::string::npos;
}

}  // namespace

bool enter_devices(Child& child, const DevicesPlan& plan) {
  if (!plan.wanted) return true;
  const int dev = create_in_root(child.root, "/dev", PathKind::kDirectory);
  if (dev < 0) return child.fail(Step::kDeviceDirectory);
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    const DeviceNode& node = plan.nodes[i];
    const char* name = node.path.c_str() + sizeof "/dev/" - 1;
    bool made = false;
    if (plan.bind && !S_ISFIFO(node.mode)) {
      made = bind_node(child, node);
    } else if (in_dev(node.path)) {
      made = make_node(dev, name, node);
    } else {
      const int parent = create_parent_in_root(child.root, node.path.c_str(), &name);
      made = parent >= 0 && make_node(parent, name, node);
      ::close(parent);
    }
    if (!made) return child.fail(Step::kDeviceNode, i);
  }
  for (std::size_t i = 0; i < kDeviceLinks.size(); ++i)
    if (::symlinkat(kDeviceLinks[i].target, dev, kDeviceLinks[i].name) != 0 && errno != EEXIST)
      return child.fail(Step::kDeviceLink, i);
  ::close(dev);
  return true;
}

}  // namespace berth::container
