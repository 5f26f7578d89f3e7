// CreateOptions: everything `run` and `create` may be told about the workload, as the flags give
// it. body.h turns it into the request.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "berth/command/flags.h"

namespace berth::cli {

struct CreateOptions {
  using List = std::vector<std::string>;

  // What to run
  std::string name, platform, user, working_dir, stop_signal, cid_file;
  std::string pull = "missing";
  std::optional<std::string> entrypoint;
  std::optional<std::int64_t> stop_timeout;
  std::optional<bool> init;
  bool auto_remove = false, quiet = false;
  bool interactive = false, tty = false;
  List attach, env, env_files, labels, label_files, annotations;

  // Health
  std::string health_cmd;
  Nanoseconds health_interval, health_timeout, health_start_period, health_start_interval;
  std::int64_t health_retries = 0;
  bool no_healthcheck = false;

  // The wall
  std::string isolation, runtime, userns, ipc, pid, uts, cgroupns, cgroup_parent, restart = "no";
  bool privileged = false, read_only = false;
  List cap_add, cap_drop, security_opts, group_add, sysctls, devices, device_cgroup_rules, ulimits;

  // Network
  std::string hostname, domainname, mac_address, ip, ip6;
  bool publish_all = false;
  List networks, network_aliases, links, publish, expose, dns, dns_options, dns_search, extra_hosts;

  // Storage and logs
  std::string volume_driver, log_driver;
  Bytes shm_size;
  List volumes, mounts, tmpfs, volumes_from, storage_opts, log_opts;

  // Resources
  Bytes memory, memory_reservation, memory_swap;
  NanoCpus cpus;
  std::int64_t memory_swappiness = -1, cpu_shares = 0, cpu_period = 0, cpu_quota = 0,
               pids_limit = 0, blkio_weight = 0, oom_score_adj = 0;
  bool oom_kill_disable = false;
  std::string cpuset_cpus, cpuset_mems;

  // Of `run` alone
  bool detach = false, sig_proxy = true;
  std::string detach_keys;
};

}  // namespace berth::cli
