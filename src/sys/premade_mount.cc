#include "sys/premade_mount.h"

#include <sys/mount.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "sys/erofs_mount.h"
#include "sys/fuse_mount.h"

namespace berth::sys {

namespace {

constexpr std::string_view kBlockType = "ext4";

/// The kernel says EBUSY to one that is to be read-only while it still clears away a writable mount
/// of the device, and the reverse.
constexpr int kPatience = 100;
constexpr std::chrono::milliseconds kPause{20};

Result<UniqueFd> try_mount_block(const MountSpec& spec) {
  const UniqueFd fs(::fsopen(spec.type.c_str(), FSOPEN_CLOEXEC));
  if (!fs.valid()) {
    if (errno == ENODEV) return fail(ErrorKind::kUnsupported, "this kernel has no {}", spec.type);
    return fail_errno("open the {} file system", spec.type);
  }
  if (::fsconfig(fs.get(), FSCONFIG_SET_STRING, "source", spec.source.c_str(), 0) != 0) {
    return fail_errno("mount {}", spec.source);
  }
  unsigned attributes = 0;
  for (const std::string& option : spec.options) {
    if (option == "ro") attributes |= MOUNT_ATTR_RDONLY;
    if (::fsconfig(fs.get(), FSCONFIG_SET_FLAG, option.c_str(), nullptr, 0) != 0) {
      return fail_errno("option {} of {}", option, spec.type);
    }
  }
  if (::fsconfig(fs.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    return fail_errno("mount {} as {}", spec.source, spec.type);
  }
  UniqueFd mount(::fsmount(fs.get(), FSMOUNT_CLOEXEC, attributes));
  if (!mount.valid()) return fail_errno("mount {}", spec.source);
  return mount;
}

Result<UniqueFd> mount_block(const MountSpec& spec) {
  for (int i = 0;; ++i) {
    auto mount = try_mount_block(spec);
    if (mount.ok() || mount.error().os_errno() != EBUSY || i == kPatience) return mount;
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

bool is_premade(std::string_view type) {
  return is_fuse(type) || is_erofs(type) || type == kBlockType;
}

Result<UniqueFd> mount_premade(const MountSpec& spec) {
  if (is_erofs(spec.type)) return mount_erofs_detached(spec);
  return spec.type == kBlockType ? mount_block(spec) : mount_fuse_detached(spec);
}

}  // namespace berth::sys
