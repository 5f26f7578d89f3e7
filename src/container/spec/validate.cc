// validate(): one function per section of config.json.
#include <net/if.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "container/spec/kernel_names.h"
#include "container/spec/names.h"
#include "container/spec/normal_path.h"
#include "container/spec/spec.h"
#include "container/spec/validate_attributes.h"

namespace berth::container {
namespace {

constexpr std::size_t kMaxHostName = 64;  // __NEW_UTS_LEN, uname(2)

template <typename... Args>
Error invalid(fmt::format_string<Args...> format, Args&&... args) {
  return fail(ErrorKind::kInvalid, format, std::forward<Args>(args)...);
}

bool is_absolute(std::string_view path) {
  return path.starts_with('/');
}

bool has_dot_dot(std::string_view path) {
  for (std::size_t at = 0; at <= path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    if (path.substr(at, end - at) == "..") return true;
    at = end + 1;
  }
  return false;
}

Result<void> check_capabilities(const Capabilities& sets) {
  const auto check = [](std::string_view set,
                        const std::vector<std::string>& names) -> Result<void> {
    for (const auto& name : names)
      if (!capability_number(name))
        return invalid("process.capabilities.{}: unknown capability '{}'", set, name);
    return {};
  };
  TRY(check("bounding", sets.bounding));
  TRY(check("effective", sets.effective));
  TRY(check("inheritable", sets.inheritable));
  TRY(check("permitted", sets.permitted));
  TRY(check("ambient", sets.ambient));
  return {};
}

Result<void> check_process(const Process& process) {
  if (process.args.empty() || process.args[0].empty())
    return invalid("process.args must name a program");
  if (!is_absolute(process.cwd))
    return invalid("process.cwd must be an absolute path, not '{}'", process.cwd);
  if (process.oom_score_adj && (*process.oom_score_adj < -1000 || *process.oom_score_adj > 1000))
    return invalid("process.oomScoreAdj must be from -1000 to 1000, not {}",
                   *process.oom_score_adj);
  if (process.user.umask && *process.user.umask > 0777)
    return invalid("process.user.umask must be at most 0777 (511)");
  for (std::size_t i = 0; i < process.rlimits.size(); ++i) {
    const Rlimit& limit = process.rlimits[i];
    if (!rlimit_number(limit.type))
      return invalid("process.rlimits[{}].type: unknown limit '{}'", i, limit.type);
    if (limit.soft > limit.hard)
      return invalid("process.rlimits[{}]: soft {} is above hard {}", i, limit.soft, limit.hard);
    for (std::size_t j = 0; j < i; ++j)
      if (process.rlimits[j].type == limit.type)
        return invalid("process.rlimits[{}]: {} is given twice", i, limit.type);
  }
  if (process.capabilities) TRY(check_capabilities(*process.capabilities));
  for (std::size_t i = 0; i < process.env.size(); ++i)
    if (const auto equals = process.env[i].find('='); equals == 0 || equals == std::string::npos)
      return invalid("process.env[{}] must be NAME=value, not '{}'", i, process.env[i]);
  return check_attributes(process);
}

Result<void> check_hooks(const Hooks& hooks) {
  const auto check = [](std::string_view phase, const std::vector<Hook>& list) -> Result<void> {
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (!is_absolute(list[i].path))
        return invalid("hooks.{}[{}].path must be absolute, not '{}'", phase, i, list[i].path);
      if (list[i].timeout && *list[i].timeout == 0)
        return invalid("hooks.{}[{}].timeout must be above zero", phase, i);
    }
    return {};
  };
  TRY(check("prestart", hooks.prestart));
  TRY(check("createRuntime", hooks.create_runtime));
  TRY(check("createContainer", hooks.create_container));
  TRY(check("startContainer", hooks.start_container));
  TRY(check("poststart", hooks.poststart));
  TRY(check("poststop", hooks.poststop));
  return {};
}

bool has_option(const Mount& mount, std::string_view option) {
  return std::ranges::find(mount.options, option) != mount.options.end();
}

bool is_bind(const Mount& mount) {
  return mount.type == "bind" || has_option(mount, "bind") || has_option(mount, "rbind");
}

// CVE-2019-16884, CVE-2019-19921. A remount covers nothing. Links that lead to /proc are caught
// where the mount is made.
Result<void> check_proc_mount(const Mount& mount) {
  if (has_option(mount, "remount")) return {};
  const std::string target = normal_path(absolute_path(mount.destination));
  if (target == "/proc") {
    // A bind is one whatever type it claims to have.
    const bool genuine =
        is_bind(mount) ? normal_path(mount.source) == "/proc" : mount.type == "proc";
    if (genuine) return {};
    return invalid("'{}' cannot be mounted on /proc: only a proc file system can", mount.source);
  }
  if (!target.starts_with("/proc/") || may_cover_in_proc(target)) return {};
  return invalid("'{}' cannot be mounted on '{}': it is inside /proc", mount.source, target);
}

Result<void> check_mounts(const std::vector<Mount>& mounts) {
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    const Mount& mount = mounts[i];
    if (mount.destination.empty()) return invalid("mounts[{}].destination must not be empty", i);
    if (has_dot_dot(mount.destination))
      return invalid("mounts[{}].destination must not contain '..': '{}'", i, mount.destination);
    TRY(check_proc_mount(mount));
    if (mount.type.empty() && !is_bind(mount) && !has_option(mount, "remount"))
      return invalid("mounts[{}].type must be given, or 'bind' be among its options", i);
    if (mount.uid_mappings.empty() != mount.gid_mappings.empty())
      return invalid("mounts[{}] must have both uidMappings and gidMappings, or neither", i);
  }
  return {};
}

Result<void> check_sysctl(const Spec& spec, const std::string& key) {
  std::string dotted = key;
  std::ranges::replace(dotted, '/', '.');
  if (dotted.starts_with('.') || dotted.find("..") != std::string::npos)
    return invalid("linux.sysctl '{}' is not a sysctl's name", key);
  const auto type = namespace_of_sysctl(key);
  if (!type)
    return invalid("linux.sysctl '{}' belongs to no namespace: setting it would change the host",
                   key);
  if (!find_namespace(spec, *type))
    return invalid("linux.sysctl '{}' needs a {} namespace of its own", key, name_of(*type));
  return {};
}

Result<void> check_namespaces(const Spec& spec) {
  const auto& namespaces = spec.linux_.namespaces;
  for (std::size_t i = 0; i < namespaces.size(); ++i) {
    if (!namespaces[i].path.empty() && !is_absolute(namespaces[i].path))
      return invalid("linux.namespaces[{}].path must be absolute, not '{}'", i, namespaces[i].path);
    for (std::size_t j = 0; j < i; ++j)
      if (namespaces[j].type == namespaces[i].type)
        return invalid("linux.namespaces[{}]: {} is given twice", i, name_of(namespaces[i].type));
  }
  const Namespace* user = find_namespace(spec, NamespaceType::kUser);
  const bool mapped = !spec.linux_.uid_mappings.empty() || !spec.linux_.gid_mappings.empty();
  if (user && user->path.empty() &&
      (spec.linux_.uid_mappings.empty() || spec.linux_.gid_mappings.empty()))
    return invalid(
        "linux.uidMappings and linux.gidMappings must be given for a new user namespace");
  if (mapped && (!user || !user->path.empty()))
    return invalid("linux.uidMappings and linux.gidMappings need a new user namespace");
  const Namespace* mount = find_namespace(spec, NamespaceType::kMount);
  if (user && user->path.empty() && (!mount || !mount->path.empty()))
    return invalid(
        "linux.namespaces: a new user namespace needs a new mount namespace, since it may not "
        "mount anything in another's");
  const TimeOffsets& offsets = spec.linux_.time_offsets;
  const Namespace* time = find_namespace(spec, NamespaceType::kTime);
  if ((offsets.monotonic || offsets.boottime) && (!time || !time->path.empty()))
    return invalid("linux.timeOffsets needs a new time namespace");
  const bool has_uts = find_namespace(spec, NamespaceType::kUts) != nullptr;
  if (!has_uts && (!spec.hostname.empty() || !spec.domainname.empty()))
    return invalid("hostname and domainname need a uts namespace");
  if (spec.hostname.size() > kMaxHostName)
    return invalid("hostname is over {} bytes", kMaxHostName);
  if (spec.domainname.size() > kMaxHostName)
    return invalid("domainname is over {} bytes", kMaxHostName);
  return {};
}

// Linux has 12 bits for a major and 20 for a minor number: MKDEV(), include/linux/kdev_t.h.
constexpr std::int64_t kMaxMajor = (1 << 12) - 1;
constexpr std::int64_t kMaxMinor = (1 << 20) - 1;

Result<void> check_number(const std::string& field, std::int64_t value, std::int64_t lowest,
                          std::int64_t highest) {
  if (value >= lowest && value <= highest) return {};
  return invalid("{} must be from {} to {}, not {}", field, lowest, highest, value);
}

Result<void> check_devices(const Linux& section) {
  for (std::size_t i = 0; i < section.devices.size(); ++i) {
    const Device& device = section.devices[i];
    if (device.type != "c" && device.type != "u" && device.type != "b" && device.type != "p")
      return invalid("linux.devices[{}].type must be c, b, u or p, not '{}'", i, device.type);
    if (!is_absolute(device.path) || has_dot_dot(device.path) || device.path.ends_with('/'))
      return invalid("linux.devices[{}].path must be the absolute path of a file, not '{}'", i,
                     device.path);
    if (device.file_mode && *device.file_mode > 07777)
      return invalid("linux.devices[{}].fileMode must be permission bits", i);
    TRY(check_number(fmt::format("linux.devices[{}].major", i), device.major, 0, kMaxMajor));
    TRY(check_number(fmt::format("linux.devices[{}].minor", i), device.minor, 0, kMaxMinor));
  }
  for (std::size_t i = 0; i < section.resources.devices.size(); ++i) {
    const DeviceRule& rule = section.resources.devices[i];
    if (!rule.type.empty() && rule.type != "a" && rule.type != "b" && rule.type != "c")
      return invalid("linux.resources.devices[{}].type must be a, b or c, not '{}'", i, rule.type);
    if (rule.access.empty())
      return invalid("linux.resources.devices[{}].access must be given: some of r, w and m", i);
    if (rule.access.find_first_not_of("rwm") != std::string::npos)
      return invalid("linux.resources.devices[{}].access must be of r, w and m, not '{}'", i,
                     rule.access);
    TRY(check_number(fmt::format("linux.resources.devices[{}].major", i), rule.major.value_or(-1),
                     -1, kMaxMajor));
    TRY(check_number(fmt::format("linux.resources.devices[{}].minor", i), rule.minor.value_or(-1),
                     -1, kMaxMinor));
  }
  return {};
}

// What the kernel takes as a name: dev_valid_name(), net/core/dev.c.
bool is_interface_name(std::string_view name) {
  return !name.empty() && name.size() < IFNAMSIZ && name != "." && name != ".." &&
         name.find_first_of("/: \t\n\v\f\r") == std::string_view::npos;
}

Result<void> check_network(const Spec& spec) {
  const Linux& section = spec.linux_;
  for (const auto& [name, device] : section.net_devices) {
    if (!is_interface_name(name))
      return invalid("linux.netDevices: '{}' is no interface's name", name);
    if (!device.name.empty() && !is_interface_name(device.name))
      return invalid("linux.netDevices.{}.name: '{}' is no interface's name", name, device.name);
  }
  if (!section.net_devices.empty() && !find_namespace(spec, NamespaceType::kNetwork))
    return invalid("linux.netDevices needs a network namespace to move them into");
  for (const InterfacePriority& interface : section.resources.network.priorities)
    if (!is_interface_name(interface.name))
      return invalid("linux.resources.network.priorities: '{}' is no interface's name",
                     interface.name);
  for (const auto& [name, limit] : section.resources.rdma)
    if (name.empty() || name.find_first_of(" \n") != std::string::npos ||
        (!limit.handles && !limit.objects))
      return invalid(
          "linux.resources.rdma: '{}' must be a device's name with hcaHandles or "
          "hcaObjects",
          name);
  return {};
}

Result<void> check_paths(const Linux& section) {
  const auto check = [](std::string_view field,
                        const std::vector<std::string>& paths) -> Result<void> {
    for (std::size_t i = 0; i < paths.size(); ++i)
      if (!is_absolute(paths[i]) || has_dot_dot(paths[i]))
        return invalid("linux.{}[{}] must be an absolute path without '..', not '{}'", field, i,
                       paths[i]);
    return {};
  };
  TRY(check("maskedPaths", section.masked_paths));
  TRY(check("readonlyPaths", section.readonly_paths));
  if (has_dot_dot(section.cgroups_path))
    return invalid("linux.cgroupsPath must not contain '..': '{}'", section.cgroups_path);
  static constexpr std::array<std::string_view, 9> kPropagation = {
      "",       "private", "rprivate",   "slave",      "rslave",
      "shared", "rshared", "unbindable", "runbindable"};
  if (std::ranges::find(kPropagation, section.rootfs_propagation) == kPropagation.end())
    return invalid("linux.rootfsPropagation must be private, slave, shared or unbindable, not '{}'",
                   section.rootfs_propagation);
  return {};
}

// "When the action doesn't support an errno, the runtime MUST print and error and fail."
bool takes_errno(SeccompAction action) {
  return action == SeccompAction::kErrno || action == SeccompAction::kTrace;
}

Result<void> check_seccomp(const SeccompProfile& profile) {
  constexpr std::uint32_t kMaxErrno = 4095;  // seccomp(2): SECCOMP_RET_ERRNO's largest value
  const bool notifies = profile.default_action == SeccompAction::kNotify ||
                        std::ranges::find(profile.syscalls, SeccompAction::kNotify,
                                          &SeccompRule::action) != profile.syscalls.end();
  if (notifies && !is_absolute(profile.listener_path))
    return invalid(
        "linux.seccomp.listenerPath must be an absolute path for SCMP_ACT_NOTIFY, not '{}'",
        profile.listener_path);
  if (!profile.listener_metadata.empty() && profile.listener_path.empty())
    return invalid("linux.seccomp.listenerMetadata needs a listenerPath");
  if (profile.default_errno_ret && !takes_errno(profile.default_action))
    return invalid("linux.seccomp.defaultErrnoRet is for SCMP_ACT_ERRNO and SCMP_ACT_TRACE, not {}",
                   name_of(profile.default_action));
  if (profile.default_errno_ret.value_or(0) > kMaxErrno)
    return invalid("linux.seccomp.defaultErrnoRet must be at most {}", kMaxErrno);
  for (std::size_t i = 0; i < profile.syscalls.size(); ++i) {
    const SeccompRule& rule = profile.syscalls[i];
    if (rule.names.empty()) return invalid("linux.seccomp.syscalls[{}].names must not be empty", i);
    if (rule.errno_ret && !takes_errno(rule.action))
      return invalid(
          "linux.seccomp.syscalls[{}].errnoRet is for SCMP_ACT_ERRNO and SCMP_ACT_TRACE, not {}", i,
          name_of(rule.action));
    if (rule.errno_ret.value_or(0) > kMaxErrno)
      return invalid("linux.seccomp.syscalls[{}].errnoRet must be at most {}", i, kMaxErrno);
    for (const SeccompArg& arg : rule.args)
      if (arg.index > 5)
        return invalid("linux.seccomp.syscalls[{}].args: index must be at most 5", i);
  }
  return {};
}

}  // namespace

std::optional<NamespaceType> namespace_of_sysctl(std::string_view key) {
  static constexpr std::array<std::string_view, 9> kIpc = {
      "kernel.msgmax", "kernel.msgmnb",          "kernel.msgmni",
      "kernel.sem",    "kernel.shmall",          "kernel.shmmax",
      "kernel.shmmni", "kernel.shm_rmid_forced", "kernel.msg_next_id"};
  std::string dotted(key);
  std::ranges::replace(dotted, '/', '.');
  if (dotted.starts_with("net.")) return NamespaceType::kNetwork;
  if (dotted.starts_with("fs.mqueue.") || std::ranges::find(kIpc, dotted) != kIpc.end())
    return NamespaceType::kIpc;
  if (dotted == "kernel.domainname") return NamespaceType::kUts;
  return std::nullopt;
}

const Namespace* find_namespace(const Spec& spec, NamespaceType type) {
  const auto& all = spec.linux_.namespaces;
  const auto it = std::ranges::find(all, type, &Namespace::type);
  return it == all.end() ? nullptr : &*it;
}

// Both become parts of names of files.
Result<void> validate(const Resources& resources) {
  for (const auto& [name, text] : resources.unified)
    if (name.empty() || name.find('/') != std::string::npos || name.starts_with("cgroup."))
      return invalid("linux.resources.unified: '{}' is no controller's file", name);
  for (const HugepageLimit& limit : resources.hugepage_limits)
    if (limit.page_size.find_first_not_of("0123456789KMGB") != std::string::npos)
      return invalid("linux.resources.hugepageLimits: '{}' is no page size like 2MB",
                     limit.page_size);
  return {};
}

Result<void> validate(const Spec& spec) {
  // The version is "1." and what follows: a new major version may change what fields mean.
  // semver.org, 8.
  if (!spec.oci_version.starts_with("1."))
    return invalid("ociVersion '{}' is not of major version 1", spec.oci_version);
  if (spec.root.path.empty()) return invalid("root.path must name the root filesystem");
  TRY(check_process(spec.process));
  TRY(check_hooks(spec.hooks));
  TRY(check_mounts(spec.mounts));
  TRY(check_namespaces(spec));
  for (const auto& [key, value] : spec.linux_.sysctl) TRY(check_sysctl(spec, key));
  TRY(check_devices(spec.linux_));
  TRY(check_paths(spec.linux_));
  TRY(check_network(spec));
  TRY(validate(spec.linux_.resources));
  if (spec.linux_.seccomp) TRY(check_seccomp(*spec.linux_.seccomp));
  return check_attributes(spec.linux_);
}

}  // namespace berth::container
