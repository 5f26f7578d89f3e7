#include "engine/record.h"

#include <cstdint>
#include <nlohmann/json.hpp>

#include "base/json.h"

// nlohmann-json finds these by argument-dependent lookup, so they stand in the namespaces of their
// types.
namespace nlohmann {
template <typename T>
struct adl_serializer<std::optional<T>> {
  static void to_json(json& out, const std::optional<T>& value) {
    out = value ? json(*value) : json(nullptr);
  }
  static void from_json(const json& in, std::optional<T>& value) {
    value = in.is_null() ? std::optional<T>() : std::optional<T>(in.get<T>());
  }
};

template <typename Tag>
struct adl_serializer<berth::StrongId<Tag>> {
  static void to_json(json& out, const berth::StrongId<Tag>& id) { out = id.str(); }
  static void from_json(const json& in, berth::StrongId<Tag>& id) {
    id = berth::StrongId<Tag>(in.get<std::string>());
  }
};

template <>
struct adl_serializer<berth::WallTime> {
  static void to_json(json& out, const berth::WallTime& time) {
    out = time.time_since_epoch().count();
  }
  static void from_json(const json& in, berth::WallTime& time) {
    time = berth::WallTime(std::chrono::nanoseconds(in.get<std::int64_t>()));
  }
};
}  // namespace nlohmann

namespace berth::network {
NLOHMANN_JSON_SERIALIZE_ENUM(Protocol, {{Protocol::kTcp, "tcp"},
                                        {Protocol::kUdp, "udp"},
                                        {Protocol::kSctp, "sctp"}})
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(PortBinding, protocol, container_port, host_ip,
                                                host_port)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Endpoint, id, network, network_name, interface,
                                                host_link, address, prefix_length, gateway, mac,
                                                ports)
}  // namespace berth::network

namespace berth::engine {
NLOHMANN_JSON_SERIALIZE_ENUM(Isolation, {{Isolation::kContainer, "container"}})
NLOHMANN_JSON_SERIALIZE_ENUM(MountKind, {{MountKind::kBind, "bind"},
                                         {MountKind::kVolume, "volume"},
                                         {MountKind::kTmpfs, "tmpfs"}})
NLOHMANN_JSON_SERIALIZE_ENUM(WorkloadState, {{WorkloadState::kCreated, "created"},
                                             {WorkloadState::kStarting, "starting"},
                                             {WorkloadState::kRunning, "running"},
                                             {WorkloadState::kExited, "exited"},
                                             {WorkloadState::kRemoving, "removing"}})
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(MountRequest, kind, source, target, read_only,
                                                create_source, options, spelled)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Ulimit, name, soft, hard)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DeviceRequest, host_path, container_path,
                                                permissions)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Resources, memory, memory_reservation, memory_swap,
                                                nano_cpus, cpu_shares, cpu_quota, cpu_period,
                                                cpuset_cpus, cpuset_mems, pids_limit, blkio_weight)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(LogConfig, driver, options)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(
    WorkloadConfig, image, entrypoint, cmd, env, working_dir, user, hostname, domainname, labels,
    exposed_ports, volumes, stop_signal, stop_timeout, tty, rows, columns, open_stdin, stdin_once,
    attach_stdin, attach_stdout, attach_stderr, isolation, network_mode, static_address,
    mac_address, ports, publish_all, mounts, resources, log, auto_remove, read_only_root,
    privileged, init, cap_add, cap_drop, security_options, group_add, extra_hosts, dns, dns_search,
    dns_options, ulimits, devices, sysctls, shm_size, oom_score_adj, pid_mode, ipc_mode, uts_mode,
    cgroupns_mode, userns_mode, restart_policy, cgroup_parent, host_config_echo)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(MountPoint, kind, name, source, destination,
                                                read_only, propagation)

// pid and endpoint belong to one run and are asked of the holder again.
static void to_json(Json& out, const WorkloadStatus& status) {
  out = {{"state", status.state},           {"exit_code", status.exit_code},
         {"oom_killed", status.oom_killed}, {"error", status.error},
         {"started_at", status.started_at}, {"finished_at", status.finished_at}};
}

static void from_json(const Json& in, WorkloadStatus& status) {
  status.state = in.value("state", WorkloadState::kCreated);
  status.exit_code = in.value("exit_code", 0);
  status.oom_killed = in.value("oom_killed", false);
  status.error = in.value("error", std::string());
  status.started_at = in.value("started_at", std::optional<WallTime>());
  status.finished_at = in.value("finished_at", std::optional<WallTime>());
}

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(WorkloadView, id, name, created, image_id, path,
                                                args, config, status, mounts, log_path,
                                                hostname_path, hosts_path, resolv_conf_path)

namespace {

template <typename T>
Result<T> from_text(std::string_view text, std::string_view what) {
  const Json document = TRY(parse_json(text));
  try {
    return document.get<T>();
  } catch (const Json::exception& e) {
    return fail(ErrorKind::kCorrupt, "{}: {}", what, e.what());
  }
}

}  // namespace

std::string record_to_json(const WorkloadView& view) {
  return dump_json(Json(view));
}

Result<WorkloadView> record_from_json(std::string_view text) {
  return from_text<WorkloadView>(text, "workload record");
}

std::string endpoint_to_json(const network::Endpoint& endpoint) {
  return dump_json(Json(endpoint));
}

Result<network::Endpoint> endpoint_from_json(std::string_view text) {
  return from_text<network::Endpoint>(text, "endpoint record");
}

}  // namespace berth::engine
