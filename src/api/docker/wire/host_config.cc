#include "api/docker/wire/host_config.h"

#include <algorithm>
#include <array>
#include <limits>

#include "api/docker/wire/mounts.h"
#include "api/docker/wire/ports.h"

namespace berth::docker {
namespace {

using engine::Resources;
using engine::WorkloadConfig;

// Members that change what a container is, and that this engine does not have: their values must be
// empty.
struct Refusal {
  std::string_view member;
  std::string_view option;
};
constexpr std::array kRefusals = {
    Refusal{"VolumesFrom", "--volumes-from"},
    Refusal{"Links", "--link"},
    Refusal{"DeviceCgroupRules", "--device-cgroup-rule"},
    Refusal{"DeviceRequests", "--gpus"},
    Refusal{"StorageOpt", "--storage-opt"},
    Refusal{"BlkioWeightDevice", "--blkio-weight-device"},
    Refusal{"BlkioDeviceReadBps", "--device-read-bps"},
    Refusal{"BlkioDeviceWriteBps", "--device-write-bps"},
    Refusal{"BlkioDeviceReadIOps", "--device-read-iops"},
    Refusal{"BlkioDeviceWriteIOps", "--device-write-iops"},
    Refusal{"CpuRealtimePeriod", "--cpu-rt-period"},
    Refusal{"CpuRealtimeRuntime", "--cpu-rt-runtime"},
    Refusal{"OomKillDisable", "--oom-kill-disable"},
};

// Members that inspect shows as the client sent them: they say nothing to the engine.
constexpr std::array<std::string_view, 5> kEchoed = {"ContainerIDFile", "Annotations", "Mounts",
                                                     "VolumeDriver", "Tmpfs"};

bool is_empty(const Json& value) {
  return value.is_null() || (value.is_structured() && value.empty()) || value == Json(0) ||
         value == Json(false) || value == Json("");
}

Result<void> refuse_unsupported(const Json& host) {
  for (const Refusal& refusal : kRefusals) {
    const Json* value = find_member(host, refusal.member);
    if (value != nullptr && !is_empty(*value))
      return fail(ErrorKind::kUnsupported, "{} is not supported yet", refusal.option);
  }
  // systempaths=unconfined: an empty list, where null asks for the default.
  for (const char* member : {"MaskedPaths", "ReadonlyPaths"}) {
    if (const Json* paths = find_member(host, member); paths != nullptr && paths->is_array())
      return fail(ErrorKind::kUnsupported,
                  "choosing {} is not supported yet: leave --security-opt systempaths out", member);
  }
  const std::string driver = TRY(get_string(host, "VolumeDriver"));
  if (!driver.empty() && driver != "local")
    return fail(ErrorKind::kUnsupported, "volume driver '{}' is not supported: volumes are local",
                driver);
  return {};
}

Result<void> parse_isolation(const Json& host, WorkloadConfig& config) {
  const std::string isolation = TRY(get_string(host, "Isolation"));
  if (!isolation.empty() && isolation != "default" && isolation != "container")
    return fail(ErrorKind::kUnsupported, "isolation '{}' is not supported yet: use container",
                isolation);
  config.isolation = engine::Isolation::kContainer;
  const std::string runtime = TRY(get_string(host, "Runtime"));
  static constexpr std::array<std::string_view, 4> kOwn = {"", "berth", "runc",
                                                           "io.containerd.runc.v2"};
  if (std::ranges::find(kOwn, runtime) == kOwn.end())
    return fail(ErrorKind::kInvalid, "unknown or invalid runtime name: {}", runtime);
  return {};
}

Result<void> parse_resources(const Json& host, WorkloadConfig& config,
                             std::vector<std::string>& warnings) {
  Resources& to = config.resources;
  struct Number {
    const char* member;
    std::int64_t Resources::* field;
  };
  static constexpr std::array kNumbers = {
      Number{"Memory", &Resources::memory},
      Number{"MemoryReservation", &Resources::memory_reservation},
      Number{"MemorySwap", &Resources::memory_swap},
      Number{"NanoCpus", &Resources::nano_cpus},
      Number{"CpuShares", &Resources::cpu_shares},
      Number{"CpuQuota", &Resources::cpu_quota},
      Number{"CpuPeriod", &Resources::cpu_period},
      Number{"PidsLimit", &Resources::pids_limit},
      Number{"BlkioWeight", &Resources::blkio_weight}};
  for (const Number& number : kNumbers) to.*number.field = TRY(get_int(host, number.member));
  to.cpuset_cpus = TRY(get_string(host, "CpusetCpus"));
  to.cpuset_mems = TRY(get_string(host, "CpusetMems"));
  const std::int64_t swappiness = TRY(get_int(host, "MemorySwappiness", -1));
  if (swappiness != -1)
    warnings.emplace_back("Memory swappiness is not supported yet and was ignored.");
  if (const Json* list = find_member(host, "Ulimits")) {
    if (!list->is_array()) return fail(ErrorKind::kInvalid, "Ulimits is not a list");
    for (const Json& item : *list) {
      config.ulimits.push_back({.name = TRY(get_string(item, "Name")),
                                .soft = TRY(get_int(item, "Soft")),
                                .hard = TRY(get_int(item, "Hard"))});
    }
  }
  if (const Json* list = find_member(host, "Devices")) {
    if (!list->is_array()) return fail(ErrorKind::kInvalid, "Devices is not a list");
    for (const Json& item : *list) {
      engine::DeviceRequest device;
      device.host_path = TRY(get_string(item, "PathOnHost"));
      device.container_path = TRY(get_string(item, "PathInContainer", device.host_path));
      device.permissions = TRY(get_string(item, "CgroupPermissions", "rwm"));
      config.devices.push_back(std::move(device));
    }
  }
  return {};
}

Result<void> parse_log_config(const Json& host, WorkloadConfig& config) {
  const Json* log = find_member(host, "LogConfig");
  if (log == nullptr) return {};
  const std::string driver = TRY(get_string(*log, "Type"));
  if (!driver.empty()) config.log.driver = driver;
  config.log.options = TRY(get_string_map(*log, "Config"));
  return {};
}

// [rows, columns], as they are when the client creates the container.
Result<void> parse_console_size(const Json& host, WorkloadConfig& config) {
  const Json* size = find_member(host, "ConsoleSize");
  if (size == nullptr) return {};
  const auto fits = [](const Json& number) {
    return number.is_number_unsigned() &&
           number.get<std::uint64_t>() <= std::numeric_limits<std::uint16_t>::max();
  };
  if (!size->is_array() || size->size() != 2 || !std::ranges::all_of(*size, fits))
    return fail(ErrorKind::kInvalid, "ConsoleSize is not a pair of rows and columns, up to 65535");
  config.rows = (*size)[0].get<std::uint16_t>();
  config.columns = (*size)[1].get<std::uint16_t>();
  return {};
}

Result<void> parse_lists(const Json& host, WorkloadConfig& config) {
  struct List {
    const char* member;
    std::vector<std::string> WorkloadConfig::* field;
  };
  static constexpr std::array kLists = {List{"CapAdd", &WorkloadConfig::cap_add},
                                        List{"CapDrop", &WorkloadConfig::cap_drop},
                                        List{"SecurityOpt", &WorkloadConfig::security_options},
                                        List{"GroupAdd", &WorkloadConfig::group_add},
                                        List{"ExtraHosts", &WorkloadConfig::extra_hosts},
                                        List{"Dns", &WorkloadConfig::dns},
                                        List{"DnsSearch", &WorkloadConfig::dns_search},
                                        List{"DnsOptions", &WorkloadConfig::dns_options}};
  for (const List& list : kLists) config.*list.field = TRY(get_strings(host, list.member));
  config.sysctls = TRY(get_string_map(host, "Sysctls"));
  return {};
}

Result<void> parse_modes(const Json& host, WorkloadConfig& config) {
  struct Mode {
    const char* member;
    std::string WorkloadConfig::* field;
  };
  static constexpr std::array kModes = {Mode{"NetworkMode", &WorkloadConfig::network_mode},
                                        Mode{"PidMode", &WorkloadConfig::pid_mode},
                                        Mode{"IpcMode", &WorkloadConfig::ipc_mode},
                                        Mode{"UTSMode", &WorkloadConfig::uts_mode},
                                        Mode{"CgroupnsMode", &WorkloadConfig::cgroupns_mode},
                                        Mode{"UsernsMode", &WorkloadConfig::userns_mode},
                                        Mode{"CgroupParent", &WorkloadConfig::cgroup_parent}};
  for (const Mode& mode : kModes) config.*mode.field = TRY(get_string(host, mode.member));
  if (const Json* policy = find_member(host, "RestartPolicy"))
    config.restart_policy = TRY(get_string(*policy, "Name"));
  config.auto_remove = TRY(get_bool(host, "AutoRemove"));
  config.read_only_root = TRY(get_bool(host, "ReadonlyRootfs"));
  config.privileged = TRY(get_bool(host, "Privileged"));
  config.init = TRY(get_bool(host, "Init"));
  config.publish_all = TRY(get_bool(host, "PublishAllPorts"));
  config.oom_score_adj = TRY(get_int(host, "OomScoreAdj"));
  if (const std::int64_t size = TRY(get_int(host, "ShmSize")); size != 0) {
    if (size < 0) return fail(ErrorKind::kInvalid, "SHM size can not be less than 0");
    config.shm_size = size;
  }
  return {};
}

OrderedJson or_null(const std::vector<std::string>& list) {
  return list.empty() ? OrderedJson() : OrderedJson(list);
}

void add_resources(const WorkloadConfig& config, OrderedJson& host) {
  const Resources& from = config.resources;
  host["CpuShares"] = from.cpu_shares;
  host["Memory"] = from.memory;
  host["NanoCpus"] = from.nano_cpus;
  host["CgroupParent"] = config.cgroup_parent;
  host["BlkioWeight"] = from.blkio_weight;
  for (const char* none : {"BlkioWeightDevice", "BlkioDeviceReadBps", "BlkioDeviceWriteBps",
                           "BlkioDeviceReadIOps", "BlkioDeviceWriteIOps"})
    host[none] = OrderedJson::array();
  host["CpuPeriod"] = from.cpu_period;
  host["CpuQuota"] = from.cpu_quota;
  host["CpuRealtimePeriod"] = 0;
  host["CpuRealtimeRuntime"] = 0;
  host["CpusetCpus"] = from.cpuset_cpus;
  host["CpusetMems"] = from.cpuset_mems;
  host["Devices"] = OrderedJson::array();
  for (const engine::DeviceRequest& device : config.devices) {
    host["Devices"].push_back({{"PathOnHost", device.host_path},
                               {"PathInContainer", device.container_path},
                               {"CgroupPermissions", device.permissions}});
  }
  host["DeviceCgroupRules"] = nullptr;
  host["DeviceRequests"] = nullptr;
  host["MemoryReservation"] = from.memory_reservation;
  host["MemorySwap"] = from.memory_swap;
  host["MemorySwappiness"] = nullptr;
  host["OomKillDisable"] = false;
  host["PidsLimit"] = from.pids_limit > 0 ? OrderedJson(from.pids_limit) : OrderedJson();
  host["Ulimits"] = OrderedJson::array();
  for (const engine::Ulimit& limit : config.ulimits)
    host["Ulimits"].push_back({{"Name", limit.name}, {"Hard", limit.hard}, {"Soft", limit.soft}});
  for (const char* windows : {"CpuCount", "CpuPercent", "IOMaximumIOps", "IOMaximumBandwidth"})
    host[windows] = 0;
}

void add_echo(const WorkloadConfig& config, OrderedJson& host) {
  host["ContainerIDFile"] = "";
  host["ConsoleSize"] = {config.rows, config.columns};
  host["VolumeDriver"] = "";
  const auto echo = parse_json(config.host_config_echo);
  if (!echo.ok()) return;
  for (const std::string_view member : kEchoed) {
    if (const Json* value = find_member(*echo, member)) host[std::string(member)] = *value;
  }
}

}  // namespace

Result<void> parse_host_config(const Json& host, WorkloadConfig& config,
                               std::vector<std::string>& warnings) {
  if (!host.is_object()) return fail(ErrorKind::kInvalid, "HostConfig is not an object");
  TRY(refuse_unsupported(host));
  TRY(parse_isolation(host, config));
  TRY(parse_resources(host, config, warnings));
  TRY(parse_log_config(host, config));
  TRY(parse_console_size(host, config));
  TRY(parse_lists(host, config));
  TRY(parse_modes(host, config));
  TRY(parse_mounts(host, config.mounts));
  if (const Json* bindings = find_member(host, "PortBindings"))
    config.ports = TRY(parse_port_bindings(*bindings));
  Json echo = Json::object();
  for (const std::string_view member : kEchoed) {
    if (const Json* value = find_member(host, member); value != nullptr && !is_empty(*value))
      echo[std::string(member)] = *value;
  }
  if (!echo.empty()) config.host_config_echo = dump_json(echo);
  return {};
}

OrderedJson host_config_json(const WorkloadConfig& config) {
  OrderedJson host;
  host["Binds"] = binds_json(config.mounts);
  host["LogConfig"] = {{"Type", config.log.driver}, {"Config", config.log.options}};
  host["NetworkMode"] = config.network_mode;
  host["PortBindings"] = port_bindings_json(config.ports);
  host["RestartPolicy"] = {{"Name", config.restart_policy.empty() ? "no" : config.restart_policy},
                           {"MaximumRetryCount", 0}};
  host["AutoRemove"] = config.auto_remove;
  host["VolumesFrom"] = nullptr;
  host["CapAdd"] = or_null(config.cap_add);
  host["CapDrop"] = or_null(config.cap_drop);
  host["CgroupnsMode"] = config.cgroupns_mode.empty() ? "private" : config.cgroupns_mode;
  host["Dns"] = config.dns;
  host["DnsOptions"] = config.dns_options;
  host["DnsSearch"] = config.dns_search;
  host["ExtraHosts"] = or_null(config.extra_hosts);
  host["GroupAdd"] = or_null(config.group_add);
  host["IpcMode"] = config.ipc_mode.empty() ? "private" : config.ipc_mode;
  host["Cgroup"] = "";
  host["Links"] = nullptr;
  host["OomScoreAdj"] = config.oom_score_adj;
  host["PidMode"] = config.pid_mode;
  host["Privileged"] = config.privileged;
  host["PublishAllPorts"] = config.publish_all;
  host["ReadonlyRootfs"] = config.read_only_root;
  host["SecurityOpt"] = or_null(config.security_options);
  host["UTSMode"] = config.uts_mode;
  host["UsernsMode"] = config.userns_mode;
  host["ShmSize"] = config.shm_size;
  if (!config.sysctls.empty()) host["Sysctls"] = config.sysctls;
  host["Runtime"] = "berth";
  host["Isolation"] = "";
  add_resources(config, host);
  host["MaskedPaths"] = nullptr;
  host["ReadonlyPaths"] = nullptr;
  if (config.init) host["Init"] = true;
  add_echo(config, host);
  return host;
}

}  // namespace berth::docker
