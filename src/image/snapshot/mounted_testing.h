// What a snapshotter's mounts show, without mounting them anywhere: a descriptor of the tree's
// root, whose mount goes away with it. The path /proc/self/fd/N works for calls that want one.
#pragma once

#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "sys/mount_spec.h"

namespace berth::image {

/// Of one bind, overlay or FUSE mount, as every snapshotter here returns.
Result<UniqueFd> mount_detached(const std::vector<sys::MountSpec>& mounts);

}  // namespace berth::image
