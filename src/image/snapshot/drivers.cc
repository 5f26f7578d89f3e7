#include "image/snapshot/drivers.h"

#include <algorithm>
#include <array>
#include <vector>

#include "image/snapshot/btrfs_snapshotter.h"
#include "image/snapshot/devicemapper_snapshotter.h"
#include "image/snapshot/erofs_snapshotter.h"
#include "image/snapshot/fuse_overlay_snapshotter.h"
#include "image/snapshot/native_snapshotter.h"
#include "image/snapshot/overlay_snapshotter.h"
#include "image/snapshot/remote/remote_snapshotter.h"

namespace berth::image {
namespace {

/// A driver of which there is nothing to say.
auto plain(Result<std::unique_ptr<Snapshotter>> (*open)(const std::string& root,
                                                        Database& database)) {
  return [open](const std::string& root, Database& database, const DriverOptions&) {
    return open(root, database);
  };
}

/// A table: made once, for whoever asks first.
const std::vector<Driver>& drivers() {
  static const std::vector<Driver> all = {
      {"overlay2", plain(open_overlay_snapshotter)},
      {"btrfs", plain(open_btrfs_snapshotter)},
      {"erofs", plain(open_erofs_snapshotter)},
      {"fuse-overlayfs", plain(open_fuse_overlay_snapshotter)},
      {"vfs", plain(open_native_snapshotter)},
      {"devicemapper",
       [](const std::string& root, Database& database, const DriverOptions& options) {
         return open_devicemapper_snapshotter(root, database, options.thin_pool);
       }},
  };
  return all;
}

/// Names that a configuration for another engine, or for an older one, may have.
struct Elsewhere {
  std::string_view name;
  std::string_view advice;
};
constexpr auto kElsewhere = std::to_array<Elsewhere>({
    {"aufs", "no kernel of kernel.org has it: use overlay2"},
    {"native", "this is called vfs here"},
    {"overlay", "its successor is overlay2"},
    {"overlayfs", "this is called overlay2 here"},
    {"windowsfilter", "it is for images of Windows, which do not run here: use overlay2"},
    {"zfs", "use overlay2, whose layers a dataset of OpenZFS 2.2 can hold, or else vfs"},
});

std::string names_of_all() {
  std::string names;
  for (const Driver& driver : drivers()) {
    if (&driver == &drivers().back()) {
      names += " or ";
    } else if (!names.empty()) {
      names += ", ";
    }
    names += driver.name;
  }
  return names;
}

}  // namespace

std::span<const Driver> all_drivers() {
  return drivers();
}

Result<Driver> find_driver(std::string_view name, const PluginPlaces& places) {
  const auto found = std::ranges::find(drivers(), name, &Driver::name);
  if (found != drivers().end()) return *found;
  if (const auto socket = TRY(find_plugin_socket(name, places))) {
    return Driver{.name = std::string(name),
                  .open = [name = std::string(name), socket = *socket](
                              const std::string& root, Database& database, const DriverOptions&) {
                    return open_remote_snapshotter(name, socket, root, database);
                  }};
  }
  const auto elsewhere = std::ranges::find(kElsewhere, name, &Elsewhere::name);
  if (elsewhere != kElsewhere.end()) {
    return fail(ErrorKind::kInvalid, "there is no storage driver '{}': {}", name,
                elsewhere->advice);
  }
  return fail(ErrorKind::kInvalid,
              "unknown storage driver '{}': use {}, or a storage plugin that runs", name,
              names_of_all());
}

}  // namespace berth::image
