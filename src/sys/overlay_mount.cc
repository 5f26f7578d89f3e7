#include "sys/overlay_mount.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/scope_exit.h"
#include "base/strong_id.h"
#include "sys/dir.h"

namespace berth::sys {
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

Result<UniqueFd> mount_with_fsconfig(const MountSpec& spec) {
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

/// The options as mount(2) takes them, the directories relative to one that all are below: their
/// whole paths would not fit for an image of many layers.
struct ClassicOptions {
  std::string base;
  std::string first_lower = {};
  std::string data = {};
  unsigned long flags = 0;
};

/// The directories of "lowerdir=/a:/b", "upperdir=/c", "workdir=/d"; none for another option.
std::vector<std::string_view> directories_of(std::string_view option) {
  std::vector<std::string_view> directories;
  const auto equals = std::min(option.find('='), option.size());
  const auto key = option.substr(0, equals);
  if (key != "lowerdir" && key != "upperdir" && key != "workdir") return directories;
  for (auto rest = option.substr(std::min(equals + 1, option.size())); !rest.empty();) {
    directories.push_back(rest.substr(0, rest.find(':')));
    rest.remove_prefix(std::min(directories.back().size() + 1, rest.size()));
  }
  return directories;
}

/// The longest path, with a slash at its end, that all directories start with.
std::string_view common_base(const std::vector<std::string>& options) {
  std::optional<std::string_view> common;
  for (const std::string& option : options) {
    for (const std::string_view directory : directories_of(option)) {
      if (!common) common = directory;
      const auto differ = std::ranges::mismatch(*common, directory).in1;
      common = common->substr(0, static_cast<std::size_t>(differ - common->begin()));
    }
  }
  return common ? common->substr(0, common->rfind('/') + 1) : std::string_view();
}

ClassicOptions classic_options(const MountSpec& spec) {
  ClassicOptions classic{.base = std::string(common_base(spec.options))};
  for (const std::string& option : spec.options) {
    const auto equals = option.find('=');
    if (equals == std::string::npos) {
      if (option == "ro") classic.flags |= MS_RDONLY;
      continue;
    }
    if (!classic.data.empty()) classic.data += ',';
    const auto directories = directories_of(option);
    if (directories.empty()) classic.data += option;
    std::string_view separator = std::string_view(option).substr(0, equals + 1);
    for (const std::string_view directory : directories) {
      classic.data += std::exchange(separator, ":");
      classic.data += directory.substr(classic.base.size());
    }
    if (option.starts_with("lowerdir=") && !directories.empty())
      classic.first_lower = directories.front();
  }
  return classic;
}

/// For a thread that ends afterwards. The mount covers its own uppermost lower directory, which is
/// resolved by then, where nobody else sees it.
Result<UniqueFd> mount_in_own_namespace(const MountSpec& spec) {
  const ClassicOptions classic = classic_options(spec);
  // What is beyond a page mount(2) cuts off without a word.
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  if (classic.data.size() >= page) {
    return fail(ErrorKind::kInvalid,
                "an overlay of so many layers needs {} bytes of options, and this kernel takes {} "
                "(Linux 6.7 takes more)",
                classic.data.size(), page - 1);
  }
  if (::unshare(CLONE_NEWNS | CLONE_FS) != 0) return fail_errno("unshare(CLONE_NEWNS)");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return fail_errno("make mounts private");
  }
  if (::chdir(classic.base.c_str()) != 0) return fail_errno("change to {}", classic.base);
  if (::mount("overlay", classic.first_lower.c_str(), "overlay", classic.flags,
              classic.data.c_str()) != 0) {
    if (errno == ENODEV) return fail(ErrorKind::kUnsupported, "this kernel has no overlayfs");
    return fail_errno("mount an overlay");
  }
  UniqueFd tree(
      ::open_tree(AT_FDCWD, classic.first_lower.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (!tree.valid()) return fail_errno("open an overlay");
  return tree;
}

}  // namespace

Result<UniqueFd> mount_overlay_detached(const MountSpec& spec, OverlayMethod method) {
  if (method == OverlayMethod::kAny) {
    auto tree = mount_with_fsconfig(spec);
    // EINVAL: a kernel before 6.7 knows no "lowerdir+".
    if (tree.ok() || tree.error().os_errno() != EINVAL) return tree;
  }
  Result<UniqueFd> tree = fail(ErrorKind::kInternal, "not mounted");
  // A thread of its own: its mount namespace ends with it, and a copy of the mount stays.
  std::thread([&] { tree = mount_in_own_namespace(spec); }).join();
  return tree;
}

Result<void> probe_overlay(const std::string& dir) {
  const UniqueFd parent = TRY(open_dir(dir));
  const std::string name = "new-probe-" + random_hex(8);
  ScopeExit undo([&] { (void)remove_tree(parent.get(), name); });
  const UniqueFd probe = TRY(make_dir_at(parent.get(), name, 0700));
  for (const char* sub : {"lower", "upper", "work"}) TRY(make_dir_at(probe.get(), sub, 0700));
  const UniqueFd upper = TRY(open_dir_at(probe.get(), "upper"));
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
          "the file system at {} cannot hold the layers of an overlay (use the vfs storage driver, "
          "or put the data root elsewhere)",
          dir));
}

}  // namespace berth::sys
