// Changes: what a snapshot has otherwise than the one it is based on, as a list: `diff`.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "image/changes/tree_diff.h"
#include "image/snapshot/snapshotter.h"

namespace berth::image {

struct Change {
  std::string path;  // absolute: "/etc/hosts"; any byte but NUL
  ChangeKind kind = ChangeKind::kModified;
};

/// Whether a path, relative to the root, is one that something is mounted on when a container runs.
using IsMountPoint = std::function<bool(std::string_view path)>;

/// In the order of their paths' bytes. A directory in which something has changed is among them;
/// one that is gone stands for all that was in it. kExhausted: there are more than `max_changes`.
/// The snapshot may be in use, and must not be removed meanwhile.
Result<std::vector<Change>> snapshot_changes(const Snapshotter& snapshots, std::string_view key,
                                             const IsMountPoint& is_mount_point,
                                             std::size_t max_changes);

}  // namespace berth::image
