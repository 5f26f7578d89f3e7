// The snapshotters by the names that users give them (storage drivers, in Docker's words).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "image/snapshot/snapshotter.h"
#include "image/store/database.h"

namespace berth::image {

struct Driver {
  std::string_view name;  // as info shows it; also of its directory
  /// Keeps its trees below `root` and its rows in `database`, borrowed. kUnsupported: the host or
  /// the file system cannot do it, and the text says what can.
  Result<std::unique_ptr<Snapshotter>> (*open)(const std::string& root, Database& database);
};

/// All of them. Where nobody names one, the first that the host can do is the best it has.
std::span<const Driver> all_drivers();

/// kInvalid if there is none of that name: says what to use instead, for names that other engines
/// have as well.
Result<const Driver*> find_driver(std::string_view name);

}  // namespace berth::image
