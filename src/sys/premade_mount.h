// Mounts that are more than the mount calls a container makes for itself: they are made outside of
// it, detached, and moved in. Which types are such, and who makes them.
#pragma once

#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "sys/mount_spec.h"

namespace berth::sys {

/// Whether a program serves it (fuse_mount.h), it is made of files (erofs_mount.h), or it is a
/// block device of the engine's own: "ext4", whose words are flags of the file system, "ro" among
/// them.
bool is_premade(std::string_view type);
/// The root of the mounted tree, mounted nowhere. Needs CAP_SYS_ADMIN.
Result<UniqueFd> mount_premade(const MountSpec& spec);

}  // namespace berth::sys
