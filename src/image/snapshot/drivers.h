// The snapshotters by the names that users give them (storage drivers, in Docker's words).
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "image/snapshot/driver_options.h"
#include "image/snapshot/remote/plugin_socket.h"
#include "image/snapshot/snapshotter.h"
#include "image/store/database.h"

namespace berth::image {

struct Driver {
  std::string name;  // as info shows it; also of its directory
  /// Keeps its trees below `root` and its rows in `database`, borrowed. kUnsupported: the host or
  /// the file system cannot do it, and the text says what can.
  std::function<Result<std::unique_ptr<Snapshotter>>(const std::string& root, Database& database,
                                                     const DriverOptions& options)>
      open;
};

/// All that are part of the engine. Where nobody names one, the first that the host can do is the
/// best it has; vfs works everywhere, so what is behind it only who names it gets.
std::span<const Driver> all_drivers();

/// One of the above, or the plugin of that name (remote/plugin_socket.h). kInvalid if there is
/// none: says what to use instead, for names that other engines have as well.
Result<Driver> find_driver(std::string_view name, const PluginPlaces& places = {});

}  // namespace berth::image
