#include "image/snapshot/overlay_mount.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "base/scope_exit.h"
#include "base/strong_id.h"
#include "sys/dir.h"

namespace berth::image {
namespace {

Result<void> set_string(int fs, const std::string& key, const std::string& value) {
  if (::fsconfig(fs, FSCONFIG_SET_STRING, key.c_str(), value.c_str(), 0) == 0) return {};
  return fail_errno("overlay option {}={}", key, value);
}

/// A list of layers is longer than fsconfig(2) takes (255 bytes): since Linux 6.7 they can be given
/// one by one.
Result<void> set_lowers(int fs, std::string_view list) {
  while (!list.empty()) {
    const auto end = std::min(list.find(':'), list.size());
    TRY(set_string(fs, "lowerdir+", std::string(list.substr(0, end))));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return {};
}

}  // namespace

Result<UniqueFd> mount_overlay_detached(const sys::MountSpec& spec) {
  const UniqueFd fs(::fsopen("overlay", FSOPEN_CLOEXEC));
  if (!fs.valid()) {
    if (errno == ENODEV) return fail(ErrorKind::kUnsupported, "this kernel has no overlayfs");
    return fail_errno("open the overlay file system");
  }
  unsigned attributes = 0;
  for (const std::string& option : spec.options) {
    const auto equals = option.find('=');
    if (equals == std::string::npos) {
      if (option == "ro") attributes |= MOUNT_ATTR_RDONLY;
      continue;
    }
    const std::string key = option.substr(0, equals);
    const std::string value = option.substr(equals + 1);
    if (key == "lowerdir" && value.find(':') != std::string::npos) {
      TRY(set_lowers(fs.get(), value));
    } else {
      TRY(set_string(fs.get(), key, value));
    }
  }
  if (::fsconfig(fs.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    return fail_errno("make an overlay");
  }
  UniqueFd tree(::fsmount(fs.get(), FSMOUNT_CLOEXEC, attributes));
  if (!tree.valid()) return fail_errno("mount an overlay");
  return tree;
}

Result<void> probe_overlay(const std::string& dir) {
  const UniqueFd parent = TRY(sys::open_dir(dir));
  const std::string name = "new-probe-" + random_hex(8);
  ScopeExit undo([&] { (void)sys::remove_tree(parent.get(), name); });
  const UniqueFd probe = TRY(sys::make_dir_at(parent.get(), name, 0700));
  for (const char* sub : {"lower", "upper", "work"}) TRY(sys::make_dir_at(probe.get(), sub, 0700));
  const UniqueFd upper = TRY(sys::open_dir_at(probe.get(), "upper"));
  const auto check = [&]() -> Result<void> {
    // The two marks that an overlay leaves in its upper layer.
    if (::mknodat(upper.get(), "whiteout", S_IFCHR, makedev(0, 0)) != 0)
      return fail_errno("make a whiteout");
    if (::fsetxattr(upper.get(), "trusted.overlay.opaque", "y", 1, 0) != 0) {
      return fail_errno("set trusted.overlay.opaque");
    }
    const std::string base = dir + "/" + name;
    TRY(mount_overlay_detached({"overlay",
                                "overlay",
                                {"lowerdir=" + base + "/lower", "upperdir=" + base + "/upper",
                                 "workdir=" + base + "/work"}}));
    return {};
  };
  auto checked = check();
  if (checked.ok()) return {};
  return std::move(checked)
      .error()
      .with_kind(ErrorKind::kUnsupported)
      .context(fmt::format(
          "the file system at {} cannot hold the layers of overlay2 (use the vfs storage driver, "
          "or put the data root elsewhere)",
          dir));
}

}  // namespace berth::image
