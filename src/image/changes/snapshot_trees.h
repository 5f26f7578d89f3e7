// SnapshotTrees: the directories behind a snapshot, to look into while something may be running on
// it. What has to be mounted for that is mounted nowhere, for nobody else to see, and goes with the
// object.
#pragma once

#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "image/snapshot/snapshotter.h"

namespace berth::image {

struct SnapshotTrees {
  UniqueFd tree;         // all of the snapshot; of an overlay its uppermost layer alone
  UniqueFd base;         // what it is based on, all layers of it; invalid: nothing
  bool overlay = false;  // `tree` holds only what differs from `base`, and whiteouts
};

/// A snapshot and what it is based on, side by side. kNotFound: there is no such snapshot. Needs
/// CAP_SYS_ADMIN.
Result<SnapshotTrees> open_trees(const Snapshotter& snapshots, std::string_view key);

/// All that a snapshot shows, read-only: also of one that is mounted elsewhere to be written to.
Result<UniqueFd> open_whole(const Snapshotter& snapshots, std::string_view key);

}  // namespace berth::image
