#include "berth/create/body.h"

#include <algorithm>
#include <array>

#include "berth/create/limits.h"
#include "berth/create/mounts.h"
#include "berth/create/networks.h"
#include "berth/create/pairs.h"
#include "berth/create/ports.h"

namespace berth::cli {
namespace {

// Namespace modes: the words each flag takes, besides "container:<name>" where another workload's
// can be shared.
struct NamespaceFlag {
  std::string_view flag;
  std::string CreateOptions::* field;
  std::string_view words;
  bool sharable;
};
constexpr std::array<NamespaceFlag, 5> kNamespaceFlags = {{
    {"pid", &CreateOptions::pid, "|host|private|", true},
    {"uts", &CreateOptions::uts, "|host|private|", false},
    {"userns", &CreateOptions::userns, "|host|private|", false},
    {"cgroupns", &CreateOptions::cgroupns, "|host|private|", false},
    {"ipc", &CreateOptions::ipc, "|host|private|shareable|none|", true},
}};

Result<void> check_namespaces(const CreateOptions& options) {
  for (const NamespaceFlag& row : kNamespaceFlags) {
    const std::string& value = options.*row.field;
    const bool shared = row.sharable && value.starts_with("container:") && value.size() > 10;
    if (!value.empty() && !shared && row.words.find("|" + value + "|") == std::string_view::npos)
      return fail(ErrorKind::kInvalid, "--{}: invalid mode '{}'", row.flag, value);
  }
  return {};
}

Result<void> check_values(const CreateOptions& options) {
  TRY(check_namespaces(options));
  if (options.memory_swappiness < -1 || options.memory_swappiness > 100)
    return fail(ErrorKind::kInvalid, "invalid value: {}. Valid memory swappiness range is 0-100",
                options.memory_swappiness);
  if (options.auto_remove && options.restart != "no" && !options.restart.empty())
    return fail(ErrorKind::kInvalid, "conflicting options: cannot specify both --restart and --rm");
  for (const auto& host : options.extra_hosts) {
    const auto separator = host.find_first_of("=:");
    if (separator == std::string::npos || separator == 0 || separator + 1 == host.size())
      return invalid_argument("add-host", host,
                              fmt::format("bad format for add-host: \"{}\"", host));
  }
  return {};
}

Result<Json> health(const CreateOptions& options) {
  const std::array lengths = {options.health_interval, options.health_timeout,
                              options.health_start_period, options.health_start_interval};
  const bool any =
      !options.health_cmd.empty() || options.health_retries != 0 ||
      std::ranges::any_of(lengths, [](const Nanoseconds& length) { return length.value != 0; });
  if (options.no_healthcheck) {
    if (any) return fail(ErrorKind::kInvalid, "--no-healthcheck conflicts with --health-* options");
    return Json{{"Test", {"NONE"}}};
  }
  if (!any) return Json();
  if (options.health_retries < 0 ||
      std::ranges::any_of(lengths, [](const Nanoseconds& l) { return l.value < 0; }))
    return fail(ErrorKind::kInvalid, "--health-* values cannot be negative");
  Json check = {{"Interval", options.health_interval.value},
                {"Timeout", options.health_timeout.value},
                {"StartPeriod", options.health_start_period.value},
                {"StartInterval", options.health_start_interval.value},
                {"Retries", options.health_retries}};
  if (!options.health_cmd.empty()) check["Test"] = {"CMD-SHELL", options.health_cmd};
  return check;
}

Result<void> add_ports(Json& body, Json& host, const CreateOptions& options) {
  Json exposed = Json::object();
  Json bindings = Json::object();
  for (const auto& flag : options.publish) {
    const auto ports = parse_publish(flag);
    if (!ports.ok())
      return fail(ErrorKind::kInvalid, "invalid argument \"{}\" for \"-p, --publish\" flag: {}",
                  flag, ports.error().message());
    for (const PublishedPort& port : *ports) {
      exposed[port.key()] = Json::object();
      bindings[port.key()].push_back({{"HostIp", port.host_ip}, {"HostPort", port.host_port}});
    }
  }
  for (const auto& flag : options.expose)
    for (const auto& key : TRY(parse_expose(flag))) exposed[key] = Json::object();
  body["ExposedPorts"] = std::move(exposed);
  host["PortBindings"] = std::move(bindings);
  return {};
}

Result<void> add_storage(Json& body, Json& host, const CreateOptions& options) {
  Json binds = Json::array();
  Json anonymous = Json::object();
  for (const auto& flag : options.volumes) {
    const VolumeFlag volume = TRY(parse_volume(flag));
    if (volume.bind.empty()) {
      anonymous[volume.target] = Json::object();
    } else {
      binds.push_back(volume.bind);
    }
  }
  Json mounts = Json::array();
  for (const auto& flag : options.mounts) {
    auto mount = parse_mount(flag);
    if (!mount.ok()) return invalid_argument("mount", flag, mount.error().message());
    mounts.push_back(std::move(*mount));
  }
  Json tmpfs = Json::object();
  for (const auto& flag : options.tmpfs) {
    const auto colon = flag.find(':');
    tmpfs[flag.substr(0, colon)] = colon == std::string::npos ? "" : flag.substr(colon + 1);
  }
  body["Volumes"] = std::move(anonymous);
  host["Binds"] = std::move(binds);
  host["Tmpfs"] = std::move(tmpfs);
  host["VolumesFrom"] = options.volumes_from;
  host["VolumeDriver"] = options.volume_driver;
  host["ReadonlyRootfs"] = options.read_only;
  host["ShmSize"] = options.shm_size.value;
  if (!mounts.empty()) host["Mounts"] = std::move(mounts);
  if (!options.storage_opts.empty()) host["StorageOpt"] = to_map(options.storage_opts);
  return {};
}

Result<void> add_resources(Json& host, const CreateOptions& options) {
  Json ulimits = Json::array();
  for (const auto& flag : options.ulimits) {
    auto limit = parse_ulimit(flag);
    if (!limit.ok()) return invalid_argument("ulimit", flag, limit.error().message());
    ulimits.push_back(std::move(*limit));
  }
  Json devices = Json::array();
  for (const auto& flag : options.devices) devices.push_back(TRY(parse_device(flag)));
  host.update({{"Memory", options.memory.value},
               {"MemoryReservation", options.memory_reservation.value},
               {"MemorySwap", options.memory_swap.value},
               {"MemorySwappiness", options.memory_swappiness},
               {"NanoCpus", options.cpus.value},
               {"CpuShares", options.cpu_shares},
               {"CpuPeriod", options.cpu_period},
               {"CpuQuota", options.cpu_quota},
               {"CpusetCpus", options.cpuset_cpus},
               {"CpusetMems", options.cpuset_mems},
               {"PidsLimit", options.pids_limit},
               {"BlkioWeight", options.blkio_weight},
               {"OomKillDisable", options.oom_kill_disable},
               {"OomScoreAdj", options.oom_score_adj},
               {"CgroupParent", options.cgroup_parent},
               {"DeviceCgroupRules", options.device_cgroup_rules},
               {"Ulimits", std::move(ulimits)},
               {"Devices", std::move(devices)}});
  return {};
}

Result<void> add_wall(Json& host, const CreateOptions& options) {
  SecurityOptions security = TRY(parse_security_options(options.security_opts));
  if (security.unconfined_paths) {
    host["MaskedPaths"] = Json::array();
    host["ReadonlyPaths"] = Json::array();
  }
  host.update({{"AutoRemove", options.auto_remove},
               {"Privileged", options.privileged},
               {"CapAdd", options.cap_add},
               {"CapDrop", options.cap_drop},
               {"GroupAdd", options.group_add},
               {"SecurityOpt", std::move(security.options)},
               {"Isolation", options.isolation},
               {"IpcMode", options.ipc},
               {"PidMode", options.pid},
               {"UTSMode", options.uts},
               {"UsernsMode", options.userns},
               {"CgroupnsMode", options.cgroupns},
               {"RestartPolicy", TRY(parse_restart_policy(options.restart))},
               {"LogConfig", TRY(parse_log_config(options.log_driver, options.log_opts))},
               {"ContainerIDFile", options.cid_file}});
  if (!options.runtime.empty()) host["Runtime"] = options.runtime;
  if (!options.sysctls.empty()) host["Sysctls"] = to_map(options.sysctls);
  if (!options.annotations.empty()) host["Annotations"] = to_map(options.annotations);
  if (options.init) host["Init"] = *options.init;
  return {};
}

Result<Json> config(const CreateOptions& options, const Arguments& operands) {
  const AttachedStreams streams = TRY(attached_streams(options));
  Json body = {{"Hostname", options.hostname},
               {"Domainname", options.domainname},
               {"User", options.user},
               {"AttachStdin", streams.input},
               {"AttachStdout", streams.output},
               {"AttachStderr", streams.errors},
               {"Tty", options.tty},
               {"OpenStdin", options.interactive},
               // The workload's input ends with the client that feeds it.
               {"StdinOnce", options.interactive && streams.input},
               {"Env", TRY(read_environment(options.env_files, options.env))},
               {"Image", operands[0]},
               {"WorkingDir", options.working_dir},
               {"Labels", TRY(read_labels(options.label_files, options.labels))}};
  body["Cmd"] =
      operands.size() > 1 ? Json(Arguments(operands.begin() + 1, operands.end())) : Json();
  // An empty --entrypoint clears the image's: that is an array with an empty word.
  body["Entrypoint"] = options.entrypoint ? Json::array({*options.entrypoint}) : Json();
  if (!options.stop_signal.empty()) body["StopSignal"] = options.stop_signal;
  if (options.stop_timeout) body["StopTimeout"] = *options.stop_timeout;
  if (Json check = TRY(health(options)); !check.is_null()) body["Healthcheck"] = std::move(check);
  return body;
}

}  // namespace

Result<AttachedStreams> attached_streams(const CreateOptions& options) {
  AttachedStreams streams;
  for (std::string name : options.attach) {
    std::ranges::transform(name, name.begin(),
                           [](unsigned char c) { return static_cast<char>(c | 0x20U); });
    if (name == "stdin") {
      streams.input = true;
    } else if (name == "stdout") {
      streams.output = true;
    } else if (name == "stderr") {
      streams.errors = true;
    } else {
      return fail(ErrorKind::kInvalid,
                  "invalid argument \"{}\" for \"-a, --attach\" flag: valid streams are STDIN, "
                  "STDOUT and STDERR",
                  name);
    }
  }
  if (options.detach) {
    if (streams.any())
      return fail(ErrorKind::kInvalid,
                  "conflicting options: cannot specify both --attach and --detach");
    return streams;
  }
  if (options.attach.empty()) streams.output = streams.errors = true;
  if (options.interactive) streams.input = true;
  return streams;
}

Result<Json> create_body(const CreateOptions& options, const Arguments& operands,
                         TerminalSize console) {
  TRY(check_values(options));
  Json body = TRY(config(options, operands));
  Json host = Json::object();
  TRY(add_ports(body, host, options));
  TRY(add_storage(body, host, options));
  TRY(add_resources(host, options));
  TRY(add_wall(host, options));
  NetworkRequest networks = TRY(parse_networks(options));
  host.update({{"NetworkMode", networks.mode},
               {"PublishAllPorts", options.publish_all},
               {"Dns", options.dns},
               {"DnsOptions", options.dns_options},
               {"DnsSearch", options.dns_search},
               {"ExtraHosts", options.extra_hosts},
               {"Links", options.links},
               {"ConsoleSize", {console.rows, console.columns}}});
  body["HostConfig"] = std::move(host);
  body["NetworkingConfig"] = {{"EndpointsConfig", std::move(networks.endpoints)}};
  return body;
}

}  // namespace berth::cli
