// Whiteouts: how a layer says that something of the layers below is gone, in the form that a
// snapshotter wants it. Source: image-spec layer.md "Whiteouts";
// Documentation/filesystems/overlayfs.rst "whiteouts and opaque directories".
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace berth::image {

/// One layer's whiteouts. A whiteout hides what is below the layer and never what the layer itself
/// holds, whichever of the two came first in the archive.
class Whiteouts {
 public:
  virtual ~Whiteouts() = default;
  /// `name` in `dirfd` belongs to this layer.
  virtual Result<void> added(int dirfd, const std::string& name) = 0;
  /// What the layers below have as `name` in `dirfd` is gone.
  virtual Result<void> remove(int dirfd, const std::string& name) = 0;
  /// What the layers below have inside the directory `dirfd` is gone.
  virtual Result<void> make_opaque(int dirfd) = 0;
};

/// For a directory that becomes an overlay's layer: character device 0:0, and
/// trusted.overlay.opaque. Needs CAP_MKNOD and CAP_SYS_ADMIN.
std::unique_ptr<Whiteouts> overlay_whiteouts();
/// For a directory that holds a copy of the layers below: deletes.
std::unique_ptr<Whiteouts> deleting_whiteouts();

/// An overlay's mark for "gone": a character device 0:0.
bool is_overlay_whiteout(const struct stat& st);

}  // namespace berth::image
