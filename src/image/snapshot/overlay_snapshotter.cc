#include "image/snapshot/overlay_snapshotter.h"

#include "image/snapshot/layered_snapshotter.h"
#include "sys/dir.h"
#include "sys/overlay_mount.h"

namespace berth::image {

Result<std::unique_ptr<Snapshotter>> open_overlay_snapshotter(const std::string& root,
                                                              Database& database) {
  TRY(check_layers_path(root, "overlay2"));
  TRY(sys::make_dirs(root, 0700));
  TRY(sys::probe_overlay(root));
  return open_layered_snapshotter(
      root, database,
      {.name = "overlay2", .type = "overlay", .source = "overlay", .options = overlay_options()});
}

}  // namespace berth::image
