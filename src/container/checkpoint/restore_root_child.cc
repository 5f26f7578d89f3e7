#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "container/checkpoint/restore_root.h"
#include "container/isolate/mounts.h"

namespace berth::container {
namespace {

bool bind_root(Child& child, const char* path) {
  return ::mount(path, path, nullptr, MS_BIND | MS_REC, nullptr) == 0 ||
         child.fail(Step::kOpenRootfs);
}

// A bind's own content has the places of what is mounted in it.
bool bind_at(Child& child, const MountPoint& point, int target, std::size_t index) {
  const int tree =
      ::open_tree(AT_FDCWD, point.source.c_str(),
                  OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | static_cast<unsigned>(AT_RECURSIVE));
  if (tree < 0) return child.fail(Step::kMountSource, index);
  const bool attached = attach_mount(tree, target);
  if (!attached) child.fail(Step::kMountAttach, index);
  ::close(tree);
  return attached;
}

bool make_point(Child& child, const MountPoint& point, std::size_t index) {
  const int target = create_in_root(child.root, point.destination.c_str(), point.kind);
  if (target < 0) return child.fail(Step::kMountTarget, index);
  const bool made = point.source.empty() || bind_at(child, point, target, index);
  ::close(target);
  return made;
}

}  // namespace

bool enter_restore_root(Child& child, const RestoreRoot& root) {
  const char* path = root.path.c_str();
  if (::mount(nullptr, "/", nullptr, MS_SLAVE | MS_REC, nullptr) != 0)
    return child.fail(Step::kPropagation);
  if (!bind_root(child, path)) return false;
  child.root = ::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (child.root < 0) return child.fail(Step::kOpenRootfs);
  for (std::size_t i = 0; i < root.points.size(); ++i)
    if (!make_point(child, root.points[i], i)) return false;
  ::close(child.root);
  // With all that was bound in it; criu wants the places, and mounts for itself.
  if (::umount2(path, MNT_DETACH) != 0) return child.fail(Step::kOpenRootfs);
  return bind_root(child, path);
}

}  // namespace berth::container
