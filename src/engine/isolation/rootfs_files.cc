#include "engine/isolation/rootfs_files.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "image/archive/whiteout.h"
#include "image/snapshot/fuse_overlay_snapshotter.h"
#include "sys/dir.h"
#include "sys/file.h"
#include "sys/overlay_mount.h"
#include "sys/premade_mount.h"

namespace berth::engine {
namespace {

constexpr const char* kDirectory = "etc";
constexpr const char* kPasswd = "etc/passwd";
constexpr const char* kGroup = "etc/group";

enum class Found { kFile, kAbsent, kNextLayer, kUnusual };

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return parts;
}

// The directories behind one mount of layers or bind mount, topmost first; nothing for another.
std::vector<std::string> layers_of(const sys::MountSpec& mount) {
  if (mount.type == "bind") return {mount.source};
  std::vector<std::string> layers;
  if (mount.type != "overlay" && mount.type != image::kFuseOverlayType) return layers;
  for (const std::string& option : mount.options) {
    if (option.starts_with("upperdir=")) layers.insert(layers.begin(), option.substr(9));
    if (!option.starts_with("lowerdir=")) continue;
    for (std::string& layer : split(std::string_view(option).substr(9), ':'))
      layers.push_back(std::move(layer));
  }
  return layers;
}

// One layer, and whether its marks are files as well (image/archive/whiteout.h).
struct Layer {
  int root;
  bool has_mark_files;
};

Result<std::string> read_regular(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return fail_errno("look at a file of the image");
  if (!S_ISREG(status.st_mode)) return std::string();
  return sys::read_all(fd, kMaxIdentityFile);
}

// Whether what lower layers have in /etc is hidden by this one.
bool hides_below(const Layer& layer) {
  // As a directory or not at all: a device of the image's is not to be opened.
  const auto directory = sys::open_beneath(layer.root, kDirectory, O_RDONLY | O_DIRECTORY);
  if (!directory.ok())
    return directory.error().os_errno() != ENOENT ||
           (layer.has_mark_files && image::has_mark(layer.root, kDirectory));
  return layer.has_mark_files ? image::has_opaque_mark(directory->get())
                              : image::is_overlay_opaque(directory->get());
}

bool has_mark_file(const Layer& layer, std::string_view path) {
  if (!layer.has_mark_files) return false;
  const auto directory = sys::open_beneath(layer.root, kDirectory, O_RDONLY | O_DIRECTORY);
  return directory.ok() &&
         image::has_mark(directory->get(), std::string(path.substr(path.find('/') + 1)));
}

Result<Found> look_in_layer(const Layer& layer, const char* path, std::string& text) {
  const auto entry = sys::open_beneath(layer.root, path, O_PATH);
  if (!entry.ok()) {
    if (entry.error().os_errno() != ENOENT) return Found::kUnusual;
    return hides_below(layer) || has_mark_file(layer, path) ? Found::kAbsent : Found::kNextLayer;
  }
  struct stat status{};
  if (::fstat(entry->get(), &status) != 0) return fail_errno("look at /{} of the image", path);
  if (image::is_overlay_whiteout(status)) return Found::kAbsent;
  if (!S_ISREG(status.st_mode)) return Found::kUnusual;
  // Regular a moment ago and now: nobody but this engine writes to a layer that is not running.
  const UniqueFd file = TRY(sys::open_beneath(layer.root, path, O_RDONLY | O_NONBLOCK));
  text = TRY(read_regular(file.get()));
  return Found::kFile;
}

// nullopt: only a real mount can tell.
Result<std::optional<std::string>> read_in_layers(const std::vector<std::string>& layers,
                                                  bool have_mark_files, const char* path) {
  for (const std::string& directory : layers) {
    const UniqueFd layer = TRY(sys::open_dir(directory));
    std::string text;
    switch (TRY(look_in_layer({layer.get(), have_mark_files}, path, text))) {
      case Found::kFile:
        return std::optional(std::move(text));
      case Found::kAbsent:
        return std::optional(std::string());
      case Found::kUnusual:
        return std::optional<std::string>();
      case Found::kNextLayer:
        break;
    }
  }
  return std::optional(std::string());
}

Result<std::string> read_in_root(int root, const char* path) {
  const auto file = sys::open_in_root(root, path, O_RDONLY | O_NONBLOCK);
  if (!file.ok()) return std::string();  // absent, or a link that leads nowhere
  return read_regular(file->get());
}

Result<IdentityFiles> read_below(int root) {
  return IdentityFiles{.passwd = TRY(read_in_root(root, kPasswd)),
                       .group = TRY(read_in_root(root, kGroup))};
}

Result<IdentityFiles> read_mounted(const sys::MountSpec& mount, const std::string& mount_point) {
  if (::unshare(CLONE_NEWNS | CLONE_FS) != 0) return fail_errno("unshare(CLONE_NEWNS)");
  if (::mount("", "/", "", MS_REC | MS_PRIVATE, nullptr) != 0)
    return fail_errno("make mounts private");
  if (mount.type != "bind")
    return fail(ErrorKind::kUnsupported, "a root of type {} cannot be looked into", mount.type);
  if (::mount(mount.source.c_str(), mount_point.c_str(), nullptr, MS_BIND, nullptr) != 0)
    return fail_errno("mount {} on {}", mount.source, mount_point);
  const UniqueFd root = TRY(sys::open_dir(mount_point));
  return read_below(root.get());
}

}  // namespace

Result<IdentityFiles> read_identity_files(const std::vector<sys::MountSpec>& mounts,
                                          const std::string& mount_point) {
  if (mounts.size() != 1)
    return fail(ErrorKind::kUnsupported, "a root of {} mounts cannot be looked into",
                mounts.size());
  if (const std::vector<std::string> layers = layers_of(mounts.front()); !layers.empty()) {
    const bool have_mark_files = mounts.front().type == image::kFuseOverlayType;
    auto passwd = TRY(read_in_layers(layers, have_mark_files, kPasswd));
    auto group = TRY(read_in_layers(layers, have_mark_files, kGroup));
    if (passwd && group)
      return IdentityFiles{.passwd = std::move(*passwd), .group = std::move(*group)};
  }
  if (mounts.front().type == "overlay") {
    const UniqueFd root = TRY(sys::mount_overlay_detached(mounts.front()));
    return read_below(root.get()).context("read the image's users");
  }
  if (sys::is_premade(mounts.front().type)) {
    const UniqueFd root = TRY(sys::mount_premade(mounts.front()));
    return read_below(root.get()).context("read the image's users");
  }
  // A thread of its own: its mount namespace, and the mount in it, end with it.
  Result<IdentityFiles> files = fail(ErrorKind::kInternal, "not read");
  std::thread([&] { files = read_mounted(mounts.front(), mount_point); }).join();
  return std::move(files).context("read the image's users");
}

}  // namespace berth::engine
