#include "image/snapshot/overlay_snapshotter.h"

#include "image/snapshot/layered_snapshotter.h"
#include "image/snapshot/overlay_mount.h"
#include "sys/dir.h"

namespace berth::image {

Result<std::unique_ptr<Snapshotter>> open_overlay_snapshotter(const std::string& root,
                                                              Database& database) {
  TRY(check_layers_path(root, "overlay2"));
  TRY(sys::make_dirs(root, 0700));
  TRY(probe_overlay(root));
  // Said rather than left to how the kernel was configured: with these off a layer is what an
  // image's layer can express, and any kernel can mount it.
  return open_layered_snapshotter(root, database,
                                  {.name = "overlay2",
                                   .type = "overlay",
                                   .source = "overlay",
                                   .options = {"index=off", "redirect_dir=off", "metacopy=off"}});
}

}  // namespace berth::image
