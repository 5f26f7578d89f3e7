#include "sys/premade_mount.h"

#include "sys/erofs_mount.h"
#include "sys/fuse_mount.h"

namespace berth::sys {

bool is_premade(std::string_view type) {
  return is_fuse(type) || is_erofs(type);
}

Result<UniqueFd> mount_premade(const MountSpec& spec) {
  return is_erofs(spec.type) ? mount_erofs_detached(spec) : mount_fuse_detached(spec);
}

}  // namespace berth::sys
