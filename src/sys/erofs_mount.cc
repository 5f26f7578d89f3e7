#include "sys/erofs_mount.h"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <vector>

#include "sys/dir.h"
#include "sys/file.h"
#include "sys/loop_device.h"
#include "sys/overlay_mount.h"

namespace berth::sys {
namespace {

constexpr std::string_view kLower = "lowerdir=";

Result<UniqueFd> mount_source(const std::string& source) {
  const UniqueFd fs(::fsopen("erofs", FSOPEN_CLOEXEC));
  if (!fs.valid()) {
    if (errno == ENODEV) return fail(ErrorKind::kUnsupported, "this kernel has no erofs");
    return fail_errno("open the erofs file system");
  }
  if (::fsconfig(fs.get(), FSCONFIG_SET_STRING, "source", source.c_str(), 0) != 0 ||
      ::fsconfig(fs.get(), FSCONFIG_SET_FLAG, "ro", nullptr, 0) != 0 ||
      ::fsconfig(fs.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    return fail_errno("mount {} as erofs", source);
  }
  UniqueFd mount(::fsmount(fs.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY));
  if (!mount.valid()) return fail_errno("mount {} as erofs", source);
  return mount;
}

Result<UniqueFd> mount_file(const std::string& path, ErofsMethod method) {
  if (method == ErofsMethod::kAny) {
    auto mounted = mount_source(path);
    if (mounted.ok() || mounted.error().os_errno() != ENOTBLK) return mounted;
  }
  const UniqueFd file = TRY(open_file(path, O_RDONLY));
  const auto loop =
      TRY(attach_loop(file.get(), true)
              .context("this kernel mounts no erofs file by itself (Linux 6.12 does)"));
  return mount_source(loop.path);
}

Result<UniqueFd> make_tmpfs() {
  const UniqueFd fs(::fsopen("tmpfs", FSOPEN_CLOEXEC));
  if (!fs.valid() || ::fsconfig(fs.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    return fail_errno("make a tmpfs");
  }
  UniqueFd mount(::fsmount(fs.get(), FSMOUNT_CLOEXEC, 0));
  if (!mount.valid()) return fail_errno("mount a tmpfs");
  return mount;
}

Result<void> attach(const UniqueFd& mount, const std::string& path) {
  if (::move_mount(mount.get(), "", AT_FDCWD, path.c_str(), MOVE_MOUNT_F_EMPTY_PATH) == 0)
    return {};
  return fail_errno("attach a mount to {}", path);
}

std::vector<std::string> split_layers(std::string_view list) {
  std::vector<std::string> layers;
  while (!list.empty()) {
    layers.emplace_back(list.substr(0, list.find(':')));
    list.remove_prefix(std::min(layers.back().size() + 1, list.size()));
  }
  return layers;
}

bool is_directory(const std::string& path) {
  struct stat st{};
  return ::stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}

/// Mounts the files of `layers` and makes their names those of the mounts. They go to a tmpfs that
/// covers the directory of one of them; an overlay keeps mounts of its own.
Result<void> attach_files(std::vector<std::string>& layers, ErofsMethod method) {
  std::vector<UniqueFd> mounts;
  std::string base;
  for (const std::string& layer : layers) {
    const bool is_file = !is_directory(layer);
    mounts.push_back(is_file ? TRY(mount_file(layer, method)) : UniqueFd());
    if (is_file && base.empty()) base = layer.substr(0, layer.rfind('/'));
  }
  if (base.empty()) return {};
  const UniqueFd places = TRY(make_tmpfs());
  TRY(attach(places, base));
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!mounts[i].valid()) continue;
    TRY(make_dir_at(places.get(), std::to_string(i)));
    layers[i] = fmt::format("{}/{}", base, i);
    TRY(attach(mounts[i], layers[i]));
  }
  return {};
}

/// For a thread that ends afterwards. Before Linux 6.15 an overlay's lower directories have to be
/// mounted somewhere for who makes it; here nobody else sees it.
Result<UniqueFd> mount_in_own_namespace(const MountSpec& spec, ErofsMethod method) {
  if (::unshare(CLONE_NEWNS | CLONE_FS) != 0) return fail_errno("unshare(CLONE_NEWNS)");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return fail_errno("make mounts private");
  }
  MountSpec overlay{.type = "overlay", .source = "overlay", .options = spec.options};
  for (std::string& option : overlay.options) {
    if (!option.starts_with(kLower)) continue;
    auto layers = split_layers(std::string_view(option).substr(kLower.size()));
    TRY(attach_files(layers, method));
    option = fmt::format("{}{}", kLower, fmt::join(layers, ":"));
  }
  return mount_overlay_detached(overlay);
}

}  // namespace

bool is_erofs(std::string_view type) {
  return type == kErofsType || type == kErofsOverlayType;
}

Result<UniqueFd> mount_erofs_detached(const MountSpec& spec, ErofsMethod method) {
  if (spec.type == kErofsType) return mount_file(spec.source, method);
  Result<UniqueFd> tree = fail(ErrorKind::kInternal, "not mounted");
  std::thread([&] { tree = mount_in_own_namespace(spec, method); }).join();
  return tree;
}

}  // namespace berth::sys
