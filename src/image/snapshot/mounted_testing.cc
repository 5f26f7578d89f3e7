#include "image/snapshot/mounted_testing.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>

#include "sys/overlay_mount.h"
#include "sys/premade_mount.h"

namespace berth::image {

Result<UniqueFd> mount_detached(const std::vector<sys::MountSpec>& mounts) {
  if (mounts.size() != 1)
    return fail(ErrorKind::kInvalid, "{} mounts instead of one", mounts.size());
  const sys::MountSpec& spec = mounts.front();
  if (spec.type == "overlay") return sys::mount_overlay_detached(spec);
  if (sys::is_premade(spec.type)) return sys::mount_premade(spec);
  UniqueFd tree(::open_tree(AT_FDCWD, spec.source.c_str(),
                            OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
  if (!tree.valid()) return fail_errno("bind {}", spec.source);
  mount_attr attributes{};
  if (std::ranges::count(spec.options, "ro") > 0) attributes.attr_set = MOUNT_ATTR_RDONLY;
  if (::mount_setattr(tree.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0) {
    return fail_errno("set mount attributes");
  }
  return tree;
}

}  // namespace berth::image
