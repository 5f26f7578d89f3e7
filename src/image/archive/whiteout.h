// Whiteouts: how a layer says that something of the layers below is gone, in the form that a
// snapshotter wants it. Source: image-spec layer.md "Whiteouts";
// Documentation/filesystems/overlayfs.rst "whiteouts and opaque directories".
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace berth::image {

/// One layer's whiteouts. A whiteout hides what is below the layer and never what the layer itself
/// holds, whichever of the two came first in the archive.
class Whiteouts {
 public:
  virtual ~Whiteouts() = default;
  /// `name` in `dirfd` belongs to this layer.
  virtual Result<void> added(int dirfd, const std::string& name) = 0;
  /// The layer has something inside the directory `dirfd`, which so belongs to it as well.
  virtual Result<void> entered(int dirfd) = 0;
  /// Whether a node of the tree, not a directory, was brought by this layer: the layers below have
  /// it otherwise, or it is a mark that they have it no more.
  virtual bool holds(const struct stat& st) const = 0;
  /// What the layers below have as `name` in `dirfd` is gone.
  virtual Result<void> remove(int dirfd, const std::string& name) = 0;
  /// What the layers below have inside the directory `dirfd` is gone.
  virtual Result<void> make_opaque(int dirfd) = 0;
  /// Whether the directory `dirfd`, of this layer or of one below, hides what is further down.
  virtual bool is_opaque(int dirfd) const = 0;
  /// Whether the directory `dirfd` of a layer below, which has nothing called `name`, says that
  /// this is gone.
  virtual bool is_removed(int dirfd, const std::string& name) const = 0;
  /// The layer is complete in `root`, with `lowers` below it, topmost first.
  virtual Result<void> finish(int root, std::span<const int> lowers) = 0;
};

/// For a directory that becomes an overlay's layer: character device 0:0, and
/// trusted.overlay.opaque. Where nothing is below a directory, remove() is not to be called: an
/// overlay lists the mark there, for it merges nothing. Needs CAP_MKNOD and CAP_SYS_ADMIN.
std::unique_ptr<Whiteouts> overlay_whiteouts();
/// For a directory that becomes a layer of fuse-overlayfs: files .wh.NAME and .wh..wh..opq, which
/// every file system can hold, as archives have them; for a NAME of more than 251 bytes, the
/// device.
std::unique_ptr<Whiteouts> file_whiteouts();
/// For a directory that holds a copy of the layers below: deletes.
std::unique_ptr<Whiteouts> deleting_whiteouts();

/// An overlay's mark for "gone": a character device 0:0.
bool is_overlay_whiteout(const struct stat& st);
/// Whether a directory of an overlay's layer hides what the layers below have inside it.
bool is_overlay_opaque(int dirfd);

/// How fuse-overlayfs marks what is gone, beside an overlay's marks: the file kMarkPrefix + NAME,
/// and kOpaqueMark in a directory that hides what is below.
inline constexpr std::string_view kMarkPrefix = ".wh.";
inline constexpr const char* kOpaqueMark = ".wh..wh..opq";
bool has_mark(int dirfd, const std::string& name);
bool has_opaque_mark(int dirfd);

}  // namespace berth::image
