// What a SnapshotStore calls things: snapshots, by keys that its callers choose, and directories.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace berth::image {

/// Of a directory that is being built.
inline constexpr std::string_view kNewPrefix = "new-";

/// Of a directory that was put aside, to be removed.
inline constexpr std::string_view kGonePrefix = "gone-";

/// kInvalid unless a snapshot can have this key (image/snapshot/snapshotter.h).
Result<void> check_key(std::string_view key);

/// The number that a directory's name is, 0 if it is none.
std::int64_t id_of(const std::string& name);

}  // namespace berth::image
