#include "engine/isolation/container_spec.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>

#include "container/seccomp/default_profile.h"
#include "container/spec/spec.h"

namespace berth::engine {
namespace {

using container::Mount;
using container::NamespaceType;
using container::Spec;

constexpr std::string_view kDefaultPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
// CFS works on periods of 100 ms unless told otherwise (sched-bwc).
constexpr std::uint64_t kCpuPeriod = 100'000;
// Of one microsecond in that period.
constexpr std::int64_t kNanoCpusPerQuota = 1'000'000'000 / 100'000;
// What the kernel takes, MAX_SHARES of kernel/sched/sched.h: more would be no more.
constexpr std::int64_t kMaxCpuShares = 262'144;

// In the order in which they are numbered, capabilities(7).
constexpr std::array<std::string_view, 41> kAllCapabilities = {"CAP_CHOWN",
                                                               "CAP_DAC_OVERRIDE",
                                                               "CAP_DAC_READ_SEARCH",
                                                               "CAP_FOWNER",
                                                               "CAP_FSETID",
                                                               "CAP_KILL",
                                                               "CAP_SETGID",
                                                               "CAP_SETUID",
                                                               "CAP_SETPCAP",
                                                               "CAP_LINUX_IMMUTABLE",
                                                               "CAP_NET_BIND_SERVICE",
                                                               "CAP_NET_BROADCAST",
                                                               "CAP_NET_ADMIN",
                                                               "CAP_NET_RAW",
                                                               "CAP_IPC_LOCK",
                                                               "CAP_IPC_OWNER",
                                                               "CAP_SYS_MODULE",
                                                               "CAP_SYS_RAWIO",
                                                               "CAP_SYS_CHROOT",
                                                               "CAP_SYS_PTRACE",
                                                               "CAP_SYS_PACCT",
                                                               "CAP_SYS_ADMIN",
                                                               "CAP_SYS_BOOT",
                                                               "CAP_SYS_NICE",
                                                               "CAP_SYS_RESOURCE",
                                                               "CAP_SYS_TIME",
                                                               "CAP_SYS_TTY_CONFIG",
                                                               "CAP_MKNOD",
                                                               "CAP_LEASE",
                                                               "CAP_AUDIT_WRITE",
                                                               "CAP_AUDIT_CONTROL",
                                                               "CAP_SETFCAP",
                                                               "CAP_MAC_OVERRIDE",
                                                               "CAP_MAC_ADMIN",
                                                               "CAP_SYSLOG",
                                                               "CAP_WAKE_ALARM",
                                                               "CAP_BLOCK_SUSPEND",
                                                               "CAP_AUDIT_READ",
                                                               "CAP_PERFMON",
                                                               "CAP_BPF",
                                                               "CAP_CHECKPOINT_RESTORE"};
constexpr std::array<std::string_view, 14> kDefaultCapabilities = {
    "CAP_CHOWN",   "CAP_DAC_OVERRIDE",     "CAP_FSETID",     "CAP_FOWNER",     "CAP_MKNOD",
    "CAP_NET_RAW", "CAP_SETGID",           "CAP_SETUID",     "CAP_SETFCAP",    "CAP_SETPCAP",
    "CAP_KILL",    "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_AUDIT_WRITE"};

constexpr std::array kMaskedPaths = {
    "/proc/asound",     "/proc/acpi",        "/proc/interrupts",
    "/proc/kcore",      "/proc/keys",        "/proc/latency_stats",
    "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
    "/proc/scsi",       "/sys/firmware",     "/sys/devices/virtual/powercap"};
constexpr std::array kReadonlyPaths = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                       "/proc/sysrq-trigger"};

Mount mount(std::string destination, std::string type, std::string source,
            std::vector<std::string> options) {
  Mount made;
  made.destination = std::move(destination);
  made.type = std::move(type);
  made.source = std::move(source);
  made.options = std::move(options);
  return made;
}

std::vector<Mount> default_mounts(const WorkloadConfig& config) {
  const char* system = config.privileged ? "rw" : "ro";
  std::vector<Mount> mounts = {
      mount("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}),
      mount("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}),
      mount("/dev/pts", "devpts", "devpts",
            {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}),
      mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", system}),
      mount("/sys/fs/cgroup", "cgroup", "cgroup", {system, "nosuid", "noexec", "nodev"}),
      mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}),
      mount("/dev/shm", "tmpfs", "shm",
            {"nosuid", "noexec", "nodev", "mode=1777", fmt::format("size={}", config.shm_size)}),
  };
  // The host's own instances, where its namespace is shared.
  if (config.ipc_mode == "host") {
    mounts[5] = mount("/dev/mqueue", "bind", "/dev/mqueue", {"rbind", "nosuid", "noexec", "nodev"});
    mounts[6] = mount("/dev/shm", "bind", "/dev/shm", {"rbind", "nosuid", "noexec", "nodev"});
  }
  return mounts;
}

Mount to_mount(const MountPoint& point, const std::vector<MountRequest>& requests) {
  std::vector<std::string> options;
  for (const MountRequest& request : requests) {
    if (request.target == point.destination) options = request.options;
  }
  if (point.kind == MountKind::kTmpfs) {
    options.insert(options.begin(), {"noexec", "nosuid", "nodev"});
    if (point.read_only) options.emplace_back("ro");
    return mount(point.destination, "tmpfs", "tmpfs", std::move(options));
  }
  std::vector<std::string> flags = {"rbind", point.read_only ? "ro" : "rw"};
  flags.push_back(point.propagation.empty() ? "rprivate" : point.propagation);
  return mount(point.destination, "bind", point.source, std::move(flags));
}

void add_namespaces(const WorkloadConfig& config, Spec& spec) {
  auto& namespaces = spec.linux_.namespaces;
  namespaces.clear();
  namespaces.push_back({.type = NamespaceType::kMount, .path = {}});
  // The engine hands the holder a prepared namespace, which overrides this entry.
  if (config.network_mode != "host")
    namespaces.push_back({.type = NamespaceType::kNetwork, .path = {}});
  if (config.uts_mode != "host") namespaces.push_back({.type = NamespaceType::kUts, .path = {}});
  if (config.pid_mode != "host") namespaces.push_back({.type = NamespaceType::kPid, .path = {}});
  if (config.ipc_mode != "host") namespaces.push_back({.type = NamespaceType::kIpc, .path = {}});
  // On a v1 host Docker shares the cgroup namespace unless asked; hiding the host's tree costs
  // nothing, so it is hidden.
  if (config.cgroupns_mode != "host" && !config.privileged)
    namespaces.push_back({.type = NamespaceType::kCgroup, .path = {}});
}

void add_resources(const WorkloadConfig& config, container::Resources& out) {
  const Resources& in = config.resources;
  if (in.memory > 0) {
    out.memory.limit = in.memory;
    // Docker's default: as much swap again as memory.
    constexpr auto kLargest = std::numeric_limits<std::int64_t>::max();
    const std::int64_t twice = in.memory > kLargest / 2 ? kLargest : 2 * in.memory;
    out.memory.swap = in.memory_swap != 0 ? in.memory_swap : twice;
  }
  if (in.memory_reservation > 0) out.memory.reservation = in.memory_reservation;
  if (in.nano_cpus > 0) {
    out.cpu.period = kCpuPeriod;
    out.cpu.quota = in.nano_cpus / kNanoCpusPerQuota;
  }
  if (in.cpu_period > 0) out.cpu.period = static_cast<std::uint64_t>(in.cpu_period);
  if (in.cpu_quota != 0) out.cpu.quota = in.cpu_quota;
  if (in.cpu_shares > 0)
    out.cpu.shares = static_cast<std::uint64_t>(std::min(in.cpu_shares, kMaxCpuShares));
  out.cpu.cpus = in.cpuset_cpus;
  out.cpu.mems = in.cpuset_mems;
  if (in.pids_limit > 0) out.pids.limit = in.pids_limit;
  if (in.blkio_weight > 0) out.block_io.weight = static_cast<std::uint16_t>(in.blkio_weight);
}

container::DeviceRule rule(bool allow, std::string type, std::optional<std::int64_t> major,
                           std::optional<std::int64_t> minor, std::string access) {
  return {.allow = allow,
          .type = std::move(type),
          .major = major,
          .minor = minor,
          .access = std::move(access)};
}

Result<void> add_devices(const WorkloadConfig& config, Spec& spec) {
  auto& rules = spec.linux_.resources.devices;
  rules.clear();
  if (config.privileged) {
    rules.push_back(rule(true, "a", {}, {}, "rwm"));
    return {};
  }
  rules.push_back(rule(false, "a", {}, {}, "rwm"));
  // Nodes of any kind may be made; only these may be opened: null, zero, full, tty, random,
  // urandom, ptmx, pts, console.
  rules.push_back(rule(true, "c", {}, {}, "m"));
  rules.push_back(rule(true, "b", {}, {}, "m"));
  for (const std::int64_t minor : {3, 5, 7, 8, 9})
    rules.push_back(rule(true, "c", 1, minor, "rwm"));
  for (const std::int64_t minor : {0, 1, 2}) rules.push_back(rule(true, "c", 5, minor, "rwm"));
  rules.push_back(rule(true, "c", 136, {}, "rwm"));
  for (const DeviceRequest& device : config.devices) {
    struct stat status{};
    if (::stat(device.host_path.c_str(), &status) != 0)
      return fail_errno("error gathering device information while adding custom device \"{}\"",
                        device.host_path);
    const bool block = S_ISBLK(status.st_mode);
    if (!block && !S_ISCHR(status.st_mode))
      return fail(ErrorKind::kInvalid, "\"{}\" is not a device node", device.host_path);
    const std::string type = block ? "b" : "c";
    const auto major_number = static_cast<std::int64_t>(major(status.st_rdev));
    const auto minor_number = static_cast<std::int64_t>(minor(status.st_rdev));
    rules.push_back(rule(true, type, major_number, minor_number, device.permissions));
    container::Device node;
    node.type = type;
    node.path = device.container_path.empty() ? device.host_path : device.container_path;
    node.major = major_number;
    node.minor = minor_number;
    node.file_mode = status.st_mode & 0777U;
    node.uid = status.st_uid;
    node.gid = status.st_gid;
    spec.linux_.devices.push_back(std::move(node));
  }
  return {};
}

std::vector<std::string> environment(const WorkloadView& view, const Identity& identity) {
  const WorkloadConfig& config = view.config;
  std::vector<std::string> variables = {std::string(kDefaultPath)};
  if (!config.hostname.empty()) variables.push_back("HOSTNAME=" + config.hostname);
  if (config.tty) variables.emplace_back("TERM=xterm");
  variables.push_back("HOME=" + identity.home);
  for (const std::string& own : config.env) {
    const std::string_view name = std::string_view(own).substr(0, own.find('='));
    std::erase_if(variables, [&](const std::string& other) {
      return other.size() > name.size() && other.starts_with(name) && other[name.size()] == '=';
    });
    // "NAME" without a value asks for the variable to be absent.
    if (own.find('=') != std::string::npos) variables.push_back(own);
  }
  return variables;
}

// --security-opt: what this wall can do of it.
Result<void> add_security(const WorkloadConfig& config,
                          const std::vector<std::string>& capabilities, Spec& spec) {
  bool confined = !config.privileged;
  for (const std::string& option : config.security_options) {
    std::string text = option;
    if (const std::size_t colon = text.find(':');
        text.find('=') == std::string::npos && colon != std::string::npos)
      text[colon] = '=';
    if (text == "no-new-privileges" || text == "no-new-privileges=true") {
      spec.process.no_new_privileges = true;
    } else if (text == "no-new-privileges=false") {
      spec.process.no_new_privileges = false;
    } else if (text == "seccomp=unconfined") {
      confined = false;
    } else if (text == "systempaths=unconfined") {
      spec.linux_.masked_paths.clear();
      spec.linux_.readonly_paths.clear();
    } else if (text == "apparmor=unconfined" || text == "label=disable") {
      continue;  // nothing is confined by them here
    } else {
      return fail(
          ErrorKind::kUnsupported,
          "--security-opt {} is not supported yet: use no-new-privileges, seccomp=unconfined or "
          "systempaths=unconfined",
          option);
    }
  }
  if (confined) spec.linux_.seccomp = container::default_seccomp_profile(capabilities);
  return {};
}

Result<void> add_rlimits(const WorkloadConfig& config, Spec& spec) {
  for (const Ulimit& limit : config.ulimits) {
    std::string type = "RLIMIT_" + limit.name;
    std::ranges::transform(type, type.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (limit.soft > limit.hard && limit.hard != -1)
      return fail(ErrorKind::kInvalid,
                  "ulimit soft limit must be less than or equal to hard limit: {} > {}", limit.soft,
                  limit.hard);
    spec.process.rlimits.push_back({.type = type,
                                    .soft = static_cast<std::uint64_t>(limit.soft),
                                    .hard = static_cast<std::uint64_t>(limit.hard)});
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> effective_capabilities(bool privileged,
                                                        const std::vector<std::string>& add,
                                                        const std::vector<std::string>& drop) {
  const auto normal = [](const std::string& name) -> Result<std::string> {
    std::string upper = name;
    std::ranges::transform(upper, upper.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (upper == "ALL") return upper;
    if (!upper.starts_with("CAP_")) upper.insert(0, "CAP_");
    if (std::ranges::find(kAllCapabilities, upper) == kAllCapabilities.end())
      return fail(ErrorKind::kInvalid, "invalid capability: {} is not one of capabilities(7)",
                  name);
    return upper;
  };
  std::vector<std::string> added, dropped;
  for (const std::string& name : add) added.push_back(TRY(normal(name)));
  for (const std::string& name : drop) dropped.push_back(TRY(normal(name)));
  const auto has = [](const std::vector<std::string>& names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
  };
  const bool all = privileged || has(added, "ALL");
  std::vector<std::string> effective;
  for (const std::string_view name : kAllCapabilities) {
    const bool by_default =
        std::ranges::find(kDefaultCapabilities, name) != kDefaultCapabilities.end();
    bool wanted = all || (by_default && !has(dropped, "ALL")) || has(added, name);
    if (!privileged && has(dropped, name)) wanted = false;
    if (wanted) effective.emplace_back(name);
  }
  return effective;
}

Result<Spec> container_spec(const WorkloadView& view, const SpecContext& context) {
  const WorkloadConfig& config = view.config;
  Spec spec;
  spec.root = {.path = context.rootfs, .readonly = config.read_only_root};
  if (config.uts_mode != "host") spec.hostname = config.hostname;
  spec.domainname = config.domainname;

  const std::vector<std::string> capabilities =
      TRY(effective_capabilities(config.privileged, config.cap_add, config.cap_drop));
  container::Process& process = spec.process;
  process.terminal = config.tty;
  process.user.uid = context.identity.uid;
  process.user.gid = context.identity.gid;
  process.user.additional_gids = context.identity.additional_gids;
  if (config.init) {
    if (context.init_path.empty())
      return fail(ErrorKind::kUnsupported,
                  "--init needs an init program, and this engine was given none");
    process.args = {"/sbin/berth-init", "--"};
  }
  process.args.push_back(view.path);
  process.args.insert(process.args.end(), view.args.begin(), view.args.end());
  process.env = environment(view, context.identity);
  process.cwd = config.working_dir.empty() ? "/" : config.working_dir;
  // A user who is not root gets the bounding set only: setuid programs work, nothing is held
  // beforehand.
  container::Capabilities sets;
  sets.bounding = capabilities;
  if (context.identity.uid == 0) sets.effective = sets.permitted = capabilities;
  process.capabilities = std::move(sets);
  process.oom_score_adj = static_cast<std::int32_t>(config.oom_score_adj);
  TRY(add_rlimits(config, spec));

  spec.mounts = default_mounts(config);
  for (const auto& [path, target] :
       {std::pair(&view.resolv_conf_path, "/etc/resolv.conf"),
        std::pair(&view.hostname_path, "/etc/hostname"), std::pair(&view.hosts_path, "/etc/hosts")})
    spec.mounts.push_back(mount(target, "bind", *path, {"rbind", "rw", "rprivate"}));
  if (config.init)
    spec.mounts.push_back(mount("/sbin/berth-init", "bind", context.init_path, {"bind", "ro"}));
  // Shorter targets first: what is mounted below another mount must come after it.
  std::vector<MountPoint> points = view.mounts;
  std::ranges::stable_sort(points, {}, [](const MountPoint& point) {
    return std::ranges::count(point.destination, '/');
  });
  for (const MountPoint& point : points) {
    // A mount of the user's own replaces the default on the same place.
    std::erase_if(spec.mounts,
                  [&](const Mount& other) { return other.destination == point.destination; });
    spec.mounts.push_back(to_mount(point, config.mounts));
  }

  add_namespaces(config, spec);
  if (!config.privileged) {
    spec.linux_.masked_paths.assign(kMaskedPaths.begin(), kMaskedPaths.end());
    spec.linux_.readonly_paths.assign(kReadonlyPaths.begin(), kReadonlyPaths.end());
  }
  spec.linux_.cgroups_path = fmt::format("{}/{}", context.cgroup_parent, view.id.str());
  add_resources(config, spec.linux_.resources);
  TRY(add_devices(config, spec));
  if (config.network_mode != "host") {
    spec.linux_.sysctl = {{"net.ipv4.ip_unprivileged_port_start", "0"},
                          {"net.ipv4.ping_group_range", "0 2147483647"}};
  }
  for (const auto& [name, value] : config.sysctls) spec.linux_.sysctl[name] = value;
  TRY(add_security(config, capabilities, spec));
  return spec;
}

}  // namespace berth::engine
