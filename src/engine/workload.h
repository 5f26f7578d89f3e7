// Workload: one thing the engine runs, as plain data: what was asked for (WorkloadConfig), what it
// is now (WorkloadStatus), and the two together as others see them (WorkloadView). Wire formats are
// api/'s business; the record on disk is record.h's.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/strong_id.h"
#include "network/cnm.h"

namespace berth::engine {

using WorkloadId = StrongId<struct WorkloadIdTag>;

/// The wall that a workload runs behind.
enum class Isolation : std::uint8_t { kContainer };

enum class MountKind : std::uint8_t { kBind, kVolume, kTmpfs };

/// One -v, --mount or --tmpfs.
struct MountRequest {
  MountKind kind = MountKind::kBind;
  std::string source;  // bind: absolute host path; volume: its name, empty for an anonymous one
  std::string target;  // absolute path in the workload
  bool read_only = false;
  bool create_source = false;        // bind: make the directory if it is missing (-v, not --mount)
  std::vector<std::string> options;  // propagation ("rslave"), tmpfs data ("size=64m", "mode=1777")
  std::string spelled;               // as the user wrote it, for inspect's Binds; empty for --mount
};

struct Ulimit {
  std::string name;  // "nofile"
  std::int64_t soft = 0;
  std::int64_t hard = 0;
};

struct DeviceRequest {
  std::string host_path;
  std::string container_path;
  std::string permissions = "rwm";
};

/// 0 or empty means "not limited" or "not asked for", unless said otherwise. Bytes, microseconds.
struct Resources {
  std::int64_t memory = 0;
  std::int64_t memory_reservation = 0;
  std::int64_t memory_swap = 0;  // memory + swap; -1: unlimited
  std::int64_t nano_cpus = 0;    // 1e9 is one CPU
  std::int64_t cpu_shares = 0;
  std::int64_t cpu_quota = 0;
  std::int64_t cpu_period = 0;
  std::string cpuset_cpus;
  std::string cpuset_mems;
  std::int64_t pids_limit = 0;  // -1 is also "not limited"
  std::int64_t blkio_weight = 0;
};

struct LogConfig {
  std::string driver = "json-file";  // or "none"
  std::map<std::string, std::string> options;
};

/// Everything a client may ask for at creation. What is left empty is taken from the image
/// (entrypoint, cmd, env, ...).
struct WorkloadConfig {
  std::string image;                                   // as the user wrote it
  std::optional<std::vector<std::string>> entrypoint;  // set and empty: clears the image's
  std::vector<std::string> cmd;
  std::vector<std::string> env;
  std::string working_dir;
  std::string user;  // "name|uid[:group|gid]"
  std::string hostname;
  std::string domainname;
  std::map<std::string, std::string> labels;
  std::vector<std::string> exposed_ports;  // "80/tcp"
  std::vector<std::string> volumes;        // paths that get anonymous volumes
  std::string stop_signal;
  std::optional<int> stop_timeout;  // seconds
  bool tty = false;
  std::uint16_t rows = 0;  // of the terminal at its start; 0: not said
  std::uint16_t columns = 0;
  bool open_stdin = false;
  bool stdin_once = false;
  bool attach_stdin = false;
  bool attach_stdout = false;
  bool attach_stderr = false;

  Isolation isolation = Isolation::kContainer;
  std::string network_mode;  // "", "default", "bridge", "host", "none", or a network's name
  std::string static_address;
  std::string mac_address;
  std::vector<network::PortBinding> ports;
  bool publish_all = false;
  std::vector<MountRequest> mounts;
  Resources resources;
  LogConfig log;
  bool auto_remove = false;
  bool read_only_root = false;
  bool privileged = false;
  bool init = false;
  std::vector<std::string> cap_add;
  std::vector<std::string> cap_drop;
  std::vector<std::string> security_options;
  std::vector<std::string> group_add;
  std::vector<std::string> extra_hosts;  // "name:address"
  std::vector<std::string> dns;
  std::vector<std::string> dns_search;
  std::vector<std::string> dns_options;
  std::vector<Ulimit> ulimits;
  std::vector<DeviceRequest> devices;
  std::map<std::string, std::string> sysctls;
  std::int64_t shm_size = 64 << 20;
  std::int64_t oom_score_adj = 0;
  std::string pid_mode, ipc_mode, uts_mode, cgroupns_mode,
      userns_mode;             // "" or "host" or "private"
  std::string restart_policy;  // "", "no"; others are refused until the engine restarts workloads
  std::string cgroup_parent;
  /// Parts of the client's HostConfig that only inspect shows again, as JSON text.
  std::string host_config_echo;
};

/// Life cycle; docs/design/engine.md has the table of transitions.
enum class WorkloadState : std::uint8_t {
  kCreated,   // recorded, never started
  kStarting,  // a start is under way
  kRunning,
  kExited,    // has run and ended; its exit code is on disk
  kRemoving,  // a removal is under way
};

/// "created", "running", "exited", "removing": Docker's words. kStarting is still "created" to
/// others.
std::string_view to_string(WorkloadState state);

struct MountPoint {
  MountKind kind = MountKind::kBind;
  std::string name;         // volume name
  std::string source;       // host path
  std::string destination;  // path in the workload
  bool read_only = false;
  std::string propagation;
};

struct WorkloadStatus {
  WorkloadState state = WorkloadState::kCreated;
  int pid = 0;  // init's, in the host's pid namespace; 0 unless running
  int exit_code = 0;
  bool oom_killed = false;
  std::string error;  // why the last start failed
  std::optional<WallTime> started_at;
  std::optional<WallTime> finished_at;
  std::optional<network::Endpoint> endpoint;  // while running
};

struct WorkloadView {
  WorkloadId id;
  std::string name;  // without the leading slash
  WallTime created;
  std::string image_id;
  std::string path;               // argv[0] of the workload
  std::vector<std::string> args;  // the rest
  WorkloadConfig config;          // as asked for, image defaults filled in
  WorkloadStatus status;
  std::vector<MountPoint> mounts;
  std::string log_path;
  std::string hostname_path, hosts_path, resolv_conf_path;
};

}  // namespace berth::engine
