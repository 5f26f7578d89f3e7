// What the snapshotters have in common whose snapshots are directories of changes, which a union
// file system shows on top of each other. Layout of a snapshot's directory: fs (the changes, the
// upper layer of a mount) and work (the union's own).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "image/snapshot/snapshotter.h"
#include "image/store/database.h"

namespace berth::image {

/// How the mounts say it: MountSpec, without the directories.
struct LayeredForm {
  std::string name = {};  // the driver's
  std::string type = {};
  std::string source = {};
  std::vector<std::string> options = {};
};

/// Keeps its trees below `root`, which check_layers_path() has found good, and its rows in
/// `database`, borrowed. A snapshot of one layer is a bind mount; all others have lowerdir=,
/// topmost first, and, if active, upperdir= and workdir=.
Result<std::unique_ptr<Snapshotter>> open_layered_snapshotter(const std::string& root,
                                                              Database& database, LayeredForm form);

/// Gives a new layer's root what the one below it has.
Result<void> copy_root(int from, int to);

/// Said to the kernel's overlayfs rather than left to how it was configured: with these off a layer
/// is what an image's layer can express, and any kernel can mount it.
std::vector<std::string> overlay_options();

/// kInvalid if the path has what means something in mount options.
Result<void> check_layers_path(std::string_view root, std::string_view driver);

}  // namespace berth::image
