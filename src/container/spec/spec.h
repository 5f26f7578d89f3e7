// Spec: the OCI runtime-spec's config.json as plain values, and the two ways between them and text.
// Purpose: the engine writes one for each workload, the holder and berth-runtime read it. Values
// own everything; no invariants beyond what validate() checks. Names are the specification's, in
// snake_case; "absent" is empty, or nullopt where zero means something. Source: runtime-spec 1.3,
// config.md and config-linux.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace berth::container {

/// config.json beyond this is refused: runc's users reach 200 KiB with every device of a large host
/// listed.
inline constexpr std::size_t kMaxSpecBytes = 4U << 20;
/// What to_json() and berth-runtime's state claim to follow.
inline constexpr std::string_view kOciVersion = "1.3.0";

struct IdMapping {
  std::uint32_t container_id = 0;
  std::uint32_t host_id = 0;
  std::uint32_t size = 0;
  friend bool operator==(const IdMapping&, const IdMapping&) = default;
};

struct User {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::optional<std::uint32_t> umask;
  std::vector<std::uint32_t> additional_gids;
  friend bool operator==(const User&, const User&) = default;
};

/// Names as in capabilities(7): "CAP_CHOWN".
struct Capabilities {
  std::vector<std::string> bounding;
  std::vector<std::string> effective;
  std::vector<std::string> inheritable;
  std::vector<std::string> permitted;
  std::vector<std::string> ambient;
  friend bool operator==(const Capabilities&, const Capabilities&) = default;
};

struct Rlimit {
  std::string type;  // "RLIMIT_NOFILE"
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
  friend bool operator==(const Rlimit&, const Rlimit&) = default;
};

struct ConsoleSize {
  std::uint16_t height = 0;  // rows
  std::uint16_t width = 0;   // columns
  friend bool operator==(const ConsoleSize&, const ConsoleSize&) = default;
};

/// sched(7).
enum class SchedulerPolicy : std::uint8_t {
  kOther,
  kFifo,
  kRoundRobin,
  kBatch,
  kIso,
  kIdle,
  kDeadline,
};

enum class SchedulerFlag : std::uint8_t {
  kResetOnFork,
  kReclaim,
  kDeadlineOverrun,
  kKeepPolicy,
  kKeepParams,
  kUtilClampMin,
  kUtilClampMax,
};

/// sched_setattr(2). Times in nanoseconds.
struct Scheduler {
  SchedulerPolicy policy = SchedulerPolicy::kOther;
  std::int32_t nice = 0;
  std::int32_t priority = 0;
  std::vector<SchedulerFlag> flags;
  std::uint64_t runtime = 0;
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
  friend bool operator==(const Scheduler&, const Scheduler&) = default;
};

enum class IoPriorityClass : std::uint8_t { kRealtime, kBestEffort, kIdle };

/// ioprio_set(2).
struct IoPriority {
  IoPriorityClass io_class = IoPriorityClass::kBestEffort;
  std::int32_t priority = 0;  // 0, the highest, to 7
  friend bool operator==(const IoPriority&, const IoPriority&) = default;
};

/// Of a process that joins the container later, never of init. Lists as "0-3,7".
struct CpuAffinity {
  std::string initial;  // before it enters the container's cgroups
  std::string final;    // after that; empty: as the kernel has it then
  friend bool operator==(const CpuAffinity&, const CpuAffinity&) = default;
};

struct Process {
  bool terminal = false;
  std::optional<ConsoleSize> console_size;
  User user;
  std::vector<std::string> args;
  std::vector<std::string> env;  // "NAME=value"
  std::string cwd = "/";         // absolute, inside the container
  /// Absent: five empty sets, as runc has it.
  std::optional<Capabilities> capabilities;
  std::vector<Rlimit> rlimits;
  bool no_new_privileges = false;
  std::optional<std::int32_t> oom_score_adj;
  std::string apparmor_profile;
  std::string selinux_label;
  std::optional<Scheduler> scheduler;
  std::optional<IoPriority> io_priority;
  std::optional<CpuAffinity> exec_cpu_affinity;
  friend bool operator==(const Process&, const Process&) = default;
};

struct Root {
  std::string path;  // absolute, or relative to the bundle
  bool readonly = false;
  friend bool operator==(const Root&, const Root&) = default;
};

/// One entry of `mounts`: a sys::MountSpec and where it goes. Mounted in order.
struct Mount {
  std::string destination;  // absolute, inside the container
  std::string type;         // may be empty with "bind" or "rbind" among the options
  std::string source;
  std::vector<std::string> options;
  std::vector<IdMapping> uid_mappings;
  std::vector<IdMapping> gid_mappings;
  friend bool operator==(const Mount&, const Mount&) = default;
};

struct Hook {
  std::string path;               // absolute
  std::vector<std::string> args;  // argv, [0] included
  std::vector<std::string> env;
  std::optional<std::uint32_t> timeout;  // seconds
  friend bool operator==(const Hook&, const Hook&) = default;
};

struct Hooks {
  std::vector<Hook> prestart;        // deprecated by the specification; runs before create_runtime
  std::vector<Hook> create_runtime;  // in the runtime's namespaces, before pivot_root
  std::vector<Hook> create_container;  // in the container's namespaces, before pivot_root
  std::vector<Hook> start_container;   // in the container, just before exec
  std::vector<Hook> poststart;
  std::vector<Hook> poststop;
  friend bool operator==(const Hooks&, const Hooks&) = default;
};

enum class NamespaceType : std::uint8_t {
  kMount,
  kPid,
  kNetwork,
  kUts,
  kIpc,
  kUser,
  kCgroup,
  kTime
};

struct Namespace {
  NamespaceType type = NamespaceType::kMount;
  std::string path;  // absolute path of a namespace to join; empty: a new one
  friend bool operator==(const Namespace&, const Namespace&) = default;
};

/// A device node to make: mknod(2).
struct Device {
  std::string type;  // "c", "u" (the same), "b", "p"
  std::string path;  // absolute, inside the container
  std::int64_t major = 0;
  std::int64_t minor = 0;
  std::optional<std::uint32_t> file_mode;  // permission bits; absent: 0666
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  friend bool operator==(const Device&, const Device&) = default;
};

/// One rule of the device cgroup; a later rule wins over an earlier one.
struct DeviceRule {
  bool allow = false;
  std::string type;                   // "a" or empty (all), "b", "c"
  std::optional<std::int64_t> major;  // absent or -1: every number
  std::optional<std::int64_t> minor;
  std::string access;  // of "rwm"; empty: all three
  friend bool operator==(const DeviceRule&, const DeviceRule&) = default;
};

/// Bytes; -1 is "unlimited".
struct MemoryResources {
  std::optional<std::int64_t> limit;
  std::optional<std::int64_t> reservation;
  std::optional<std::int64_t> swap;  // memory and swap together
  std::optional<std::uint64_t> swappiness;
  std::optional<bool> disable_oom_killer;
  std::optional<std::int64_t> kernel_tcp = {};   // buffers of TCP; v1 alone has it
  std::optional<bool> check_before_update = {};  // refuse a limit that is below what is used (v2)
  friend bool operator==(const MemoryResources&, const MemoryResources&) = default;
};

/// Times in microseconds.
struct CpuResources {
  std::optional<std::uint64_t> shares;
  std::optional<std::int64_t> quota;
  std::optional<std::uint64_t> burst;
  std::optional<std::uint64_t> period;
  std::optional<std::int64_t> realtime_runtime;
  std::optional<std::uint64_t> realtime_period;
  std::string cpus;  // "0-3,5"
  std::string mems;
  std::optional<std::int64_t> idle;
  friend bool operator==(const CpuResources&, const CpuResources&) = default;
};

struct PidsResources {
  std::optional<std::int64_t> limit;  // -1 or 0: unlimited
  friend bool operator==(const PidsResources&, const PidsResources&) = default;
};

struct BlockIoWeight {
  std::int64_t major = 0;
  std::int64_t minor = 0;
  std::optional<std::uint16_t> weight;
  std::optional<std::uint16_t> leaf_weight;
  friend bool operator==(const BlockIoWeight&, const BlockIoWeight&) = default;
};

struct BlockIoThrottle {
  std::int64_t major = 0;
  std::int64_t minor = 0;
  std::uint64_t rate = 0;  // bytes or operations a second
  friend bool operator==(const BlockIoThrottle&, const BlockIoThrottle&) = default;
};

struct BlockIoResources {
  std::optional<std::uint16_t> weight;  // 10-1000
  std::optional<std::uint16_t> leaf_weight;
  std::vector<BlockIoWeight> weight_devices;
  std::vector<BlockIoThrottle> read_bps;
  std::vector<BlockIoThrottle> write_bps;
  std::vector<BlockIoThrottle> read_iops;
  std::vector<BlockIoThrottle> write_iops;
  friend bool operator==(const BlockIoResources&, const BlockIoResources&) = default;
};

struct HugepageLimit {
  std::string page_size;  // "2MB"
  std::uint64_t limit = 0;
  friend bool operator==(const HugepageLimit&, const HugepageLimit&) = default;
};

/// Absent: no limit.
struct RdmaLimit {
  std::optional<std::uint32_t> handles;
  std::optional<std::uint32_t> objects;
  friend bool operator==(const RdmaLimit&, const RdmaLimit&) = default;
};

struct InterfacePriority {
  std::string name;
  std::uint32_t priority = 0;
  friend bool operator==(const InterfacePriority&, const InterfacePriority&) = default;
};

/// cgroup v1 only.
struct NetworkResources {
  std::optional<std::uint32_t> class_id;
  std::vector<InterfacePriority> priorities;
  friend bool operator==(const NetworkResources&, const NetworkResources&) = default;
};

struct Resources {
  std::vector<DeviceRule> devices;
  MemoryResources memory;
  CpuResources cpu;
  PidsResources pids;
  BlockIoResources block_io;
  std::vector<HugepageLimit> hugepage_limits;
  std::map<std::string, std::string> unified;  // cgroup v2 file name -> text
  NetworkResources network = {};
  std::map<std::string, RdmaLimit> rdma = {};  // by the device's name
  friend bool operator==(const Resources&, const Resources&) = default;
};

enum class SeccompAction : std::uint8_t {
  kKillThread,
  kKillProcess,
  kTrap,
  kErrno,
  kTrace,
  kAllow,
  kLog,
  kNotify,
};

enum class SeccompOperator : std::uint8_t { kNe, kLt, kLe, kEq, kGe, kGt, kMaskedEq };

struct SeccompArg {
  std::uint32_t index = 0;
  std::uint64_t value = 0;
  std::uint64_t value_two = 0;  // kMaskedEq: arg & value == value_two
  SeccompOperator op = SeccompOperator::kEq;
  friend bool operator==(const SeccompArg&, const SeccompArg&) = default;
};

/// Applies when all of `args` hold; when any does if an index is in them twice, as runc has it.
/// Several rules for one system call: any of them. A rule whose action is the default is none.
struct SeccompRule {
  std::vector<std::string> names;
  SeccompAction action = SeccompAction::kAllow;
  std::optional<std::uint32_t> errno_ret;
  std::vector<SeccompArg> args;
  friend bool operator==(const SeccompRule&, const SeccompRule&) = default;
};

struct SeccompProfile {
  SeccompAction default_action = SeccompAction::kErrno;
  std::optional<std::uint32_t> default_errno_ret;  // absent: EPERM
  std::vector<std::string> architectures;          // "SCMP_ARCH_X86_64"
  std::vector<std::string> flags;
  std::vector<SeccompRule> syscalls;
  std::string listener_path = {};      // of the agent's socket, for kNotify
  std::string listener_metadata = {};  // for the agent
  friend bool operator==(const SeccompProfile&, const SeccompProfile&) = default;
};

struct TimeOffset {
  std::int64_t secs = 0;
  std::uint32_t nanosecs = 0;
  friend bool operator==(const TimeOffset&, const TimeOffset&) = default;
};

/// Of a new time namespace: time_namespaces(7).
struct TimeOffsets {
  std::optional<TimeOffset> monotonic;
  std::optional<TimeOffset> boottime;
  friend bool operator==(const TimeOffsets&, const TimeOffsets&) = default;
};

enum class PersonalityDomain : std::uint8_t { kLinux, kLinux32 };

/// personality(2). The specification has no flags yet.
struct Personality {
  PersonalityDomain domain = PersonalityDomain::kLinux;
  std::vector<std::string> flags;
  friend bool operator==(const Personality&, const Personality&) = default;
};

enum class MemoryPolicyMode : std::uint8_t {
  kDefault,
  kPreferred,
  kBind,
  kInterleave,
  kLocal,
  kPreferredMany,
  kWeightedInterleave,
};

enum class MemoryPolicyFlag : std::uint8_t { kStaticNodes, kRelativeNodes, kNumaBalancing };

/// set_mempolicy(2).
struct MemoryPolicy {
  MemoryPolicyMode mode = MemoryPolicyMode::kDefault;
  std::string nodes;  // "0-3,7"
  std::vector<MemoryPolicyFlag> flags;
  friend bool operator==(const MemoryPolicy&, const MemoryPolicy&) = default;
};

/// A network interface of the host that the container gets.
struct NetDevice {
  std::string name;  // in the container; empty: as on the host
  friend bool operator==(const NetDevice&, const NetDevice&) = default;
};

/// A class of service of resctrl, and what it may use: a line of its schemata file each.
struct IntelRdt {
  std::string clos_id = {};          // its directory; "/": the root's; empty: the container's own
  std::string l3_cache_schema = {};  // "L3:0=7f0;1=1f"
  std::string mem_bw_schema = {};    // "MB:0=20;1=70"
  std::vector<std::string> schemata = {};
  bool enable_monitoring = false;
  friend bool operator==(const IntelRdt&, const IntelRdt&) = default;
};

struct Linux {
  std::vector<Namespace> namespaces;
  std::vector<IdMapping> uid_mappings;
  std::vector<IdMapping> gid_mappings;
  std::vector<Device> devices;  // besides the default ones
  std::string cgroups_path;     // absolute: below the hierarchy's root; relative: below "/berth"
  Resources resources;
  std::map<std::string, std::string> sysctl;
  std::optional<SeccompProfile> seccomp;
  std::vector<std::string> masked_paths;
  std::vector<std::string> readonly_paths;
  std::string rootfs_propagation;  // "private", "shared", "slave", "unbindable", each also with
                                   // "r"; empty: private
  TimeOffsets time_offsets;
  std::string mount_label;  // SELinux's context for the container's file systems
  std::optional<MemoryPolicy> memory_policy;
  std::optional<Personality> personality;
  std::optional<IntelRdt> intel_rdt;             // without a field too, it makes a class
  std::map<std::string, NetDevice> net_devices;  // by the name on the host
  friend bool operator==(const Linux&, const Linux&) = default;
};

struct Spec {
  std::string oci_version = std::string(kOciVersion);
  Process process;
  Root root;
  std::string hostname;
  std::string domainname;
  std::vector<Mount> mounts;
  Hooks hooks;
  std::map<std::string, std::string> annotations;
  Linux linux_;  // trailing underscore: `linux` is a macro of GNU C++
  friend bool operator==(const Spec&, const Spec&) = default;
};

/// Reads config.json. Unknown properties are skipped, as the specification asks. kInvalid names the
/// field and what it must be, or the line where the text is no JSON; kExhausted: over
/// kMaxSpecBytes. Does not validate().
Result<Spec> parse_spec(std::string_view json);

/// Reads what config.json has as "process", for `exec --process`.
Result<Process> parse_process(std::string_view json);
/// Reads what `linux.resources` holds, as `berth-runtime update --resources` is given it, and
/// validates it.
Result<Resources> parse_resources(std::string_view json);

/// Compact JSON of everything that is set: parse_spec(to_json(spec)) == spec.
std::string to_json(const Spec& spec);
/// The same with two spaces of indentation, as `berth-runtime spec` writes it.
std::string to_pretty_json(const Spec& spec);

/// What the schema cannot say: paths absolute, names known, namespaces not twice, ids mapped.
/// kInvalid names the field.
Result<void> validate(const Spec& spec);

/// The same for resources by themselves; parse_resources() does it.
Result<void> validate(const Resources& resources);

/// The spec `berth-runtime spec` prints: a shell behind the usual wall (pid, network, ipc, uts,
/// mount, cgroup).
Spec default_spec();

/// The namespace that the sysctl `key` ("net.ipv4.ip_forward", or with slashes) belongs to;
/// nullopt: none, setting it would change the host. namespaces(7).
std::optional<NamespaceType> namespace_of_sysctl(std::string_view key);

/// Whether `namespaces` asks for `type`, and where to join it; null: not asked for.
const Namespace* find_namespace(const Spec& spec, NamespaceType type);

}  // namespace berth::container
