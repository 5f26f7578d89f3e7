#include "image/changes/snapshot_trees.h"

#include <algorithm>
#include <string>
#include <vector>

#include "sys/dir.h"
#include "sys/erofs_mount.h"
#include "sys/overlay_mount.h"
#include "sys/premade_mount.h"

namespace berth::image {
namespace {

constexpr std::string_view kUpper = "upperdir=";
constexpr std::string_view kLower = "lowerdir=";
constexpr std::string_view kWork = "workdir=";

Result<sys::MountSpec> mount_of(const Snapshotter& snapshots, std::string_view key) {
  auto mounts = TRY(snapshots.mounts(key));
  if (mounts.size() != 1)
    return fail(ErrorKind::kInternal, "snapshot {} has {} mounts", key, mounts.size());
  return std::move(mounts.front());
}

std::string option(const sys::MountSpec& mount, std::string_view prefix) {
  const auto found = std::ranges::find_if(
      mount.options, [&](const std::string& text) { return text.starts_with(prefix); });
  return found == mount.options.end() ? "" : found->substr(prefix.size());
}

/// The same layers, none of them to be written to. An upper layer that is in use as such elsewhere
/// can be a lower one here as long as there is no index (overlayfs.rst, "Sharing and copying
/// layers"); what is written meanwhile shows or does not.
sys::MountSpec read_only(sys::MountSpec mount) {
  const std::string upper = option(mount, kUpper);
  if (upper.empty()) return mount;
  std::erase_if(mount.options, [](const std::string& text) {
    return text.starts_with(kUpper) || text.starts_with(kWork);
  });
  for (std::string& text : mount.options) {
    if (text.starts_with(kLower))
      text = fmt::format("{}{}:{}", kLower, upper, text.substr(kLower.size()));
  }
  mount.options.emplace_back("ro");
  return mount;
}

}  // namespace

Result<UniqueFd> open_whole(const Snapshotter& snapshots, std::string_view key) {
  const sys::MountSpec mount = TRY(mount_of(snapshots, key));
  if (mount.type == "overlay") return sys::mount_overlay_detached(read_only(mount));
  if (!sys::is_premade(mount.type)) return sys::open_dir(mount.source);
  return sys::open_dir_at(TRY(sys::mount_premade(read_only(mount))).get(), ".");
}

Result<SnapshotTrees> open_trees(const Snapshotter& snapshots, std::string_view key) {
  const sys::MountSpec mount = TRY(mount_of(snapshots, key));
  const SnapshotInfo info = TRY(snapshots.stat(key));
  SnapshotTrees trees;
  if (!info.parent.empty()) trees.base = TRY(open_whole(snapshots, info.parent));
  // Marks of several kinds, which the program knows, or none at all: two whole trees.
  if (sys::is_premade(mount.type) && !sys::is_erofs(mount.type)) {
    trees.tree = TRY(open_whole(snapshots, key));
    return trees;
  }
  const std::string upper = option(mount, kUpper);
  const bool is_erofs = sys::is_erofs(mount.type);
  if ((mount.type == "overlay" || is_erofs) && upper.empty()) {
    return fail(ErrorKind::kUnsupported, "snapshot {} is committed: its changes are a layer", key);
  }
  trees.overlay = mount.type == "overlay" || is_erofs;
  trees.tree = TRY(sys::open_dir(trees.overlay ? upper : mount.source));
  return trees;
}

}  // namespace berth::image
