#include "image/snapshot/drivers.h"

#include <algorithm>
#include <array>

#include "image/snapshot/btrfs_snapshotter.h"
#include "image/snapshot/erofs_snapshotter.h"
#include "image/snapshot/fuse_overlay_snapshotter.h"
#include "image/snapshot/native_snapshotter.h"
#include "image/snapshot/overlay_snapshotter.h"

namespace berth::image {
namespace {

constexpr auto kDrivers = std::to_array<Driver>({
    {"overlay2", open_overlay_snapshotter},
    {"btrfs", open_btrfs_snapshotter},
    {"erofs", open_erofs_snapshotter},
    {"fuse-overlayfs", open_fuse_overlay_snapshotter},
    {"vfs", open_native_snapshotter},
});

/// Names that a configuration for another engine, or for an older one, may have.
struct Elsewhere {
  std::string_view name;
  std::string_view advice;
};
constexpr auto kElsewhere = std::to_array<Elsewhere>({
    {"aufs", "no kernel of kernel.org has it: use overlay2"},
    {"devicemapper", "Docker has given it up too: use overlay2, on any file system over LVM"},
    {"native", "this is called vfs here"},
    {"overlay", "its successor is overlay2"},
    {"overlayfs", "this is called overlay2 here"},
    {"windowsfilter", "it is for images of Windows, which do not run here: use overlay2"},
    {"zfs", "use overlay2, whose layers a dataset of OpenZFS 2.2 can hold, or else vfs"},
});

std::string names_of_all() {
  std::string names;
  for (const Driver& driver : kDrivers) {
    if (&driver == &kDrivers.back()) {
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
  return kDrivers;
}

Result<const Driver*> find_driver(std::string_view name) {
  const auto found = std::ranges::find(kDrivers, name, &Driver::name);
  if (found != kDrivers.end()) return &*found;
  const auto elsewhere = std::ranges::find(kElsewhere, name, &Elsewhere::name);
  if (elsewhere != kElsewhere.end()) {
    return fail(ErrorKind::kInvalid, "there is no storage driver '{}': {}", name,
                elsewhere->advice);
  }
  return fail(ErrorKind::kInvalid, "unknown storage driver '{}': use {}", name, names_of_all());
}

}  // namespace berth::image
