#include "api/docker/wire/system.h"

#include "api/docker/api_version.h"
#include "base/clock.h"
#include "base/json.h"

namespace berth::docker {

std::string version_json(const HostFacts& host, const std::string& product_version) {
  const OrderedJson engine = {{"Name", "Engine"},
                              {"Version", product_version},
                              {"Details",
                               {{"ApiVersion", to_string(kMaxApiVersion)},
                                {"Arch", host.architecture},
                                {"Experimental", "false"},
                                {"KernelVersion", host.kernel},
                                {"MinAPIVersion", to_string(kMinApiVersion)},
                                {"Os", "linux"}}}};
  const OrderedJson version = {{"Platform", {{"Name", "Berth"}}},
                               {"Components", OrderedJson::array({engine})},
                               {"Version", product_version},
                               {"ApiVersion", to_string(kMaxApiVersion)},
                               {"MinAPIVersion", to_string(kMinApiVersion)},
                               {"GitCommit", ""},
                               {"GoVersion", ""},
                               {"Os", "linux"},
                               {"Arch", host.architecture},
                               {"KernelVersion", host.kernel},
                               {"BuildTime", ""}};
  return dump_json(version);
}

std::string info_json(const HostFacts& host, const engine::EngineInfo& engine,
                      const std::string& product_version) {
  OrderedJson info;
  info["ID"] = engine.id;
  info["Containers"] = engine.running + engine.stopped;
  info["ContainersRunning"] = engine.running;
  info["ContainersPaused"] = 0;
  info["ContainersStopped"] = engine.stopped;
  info["Images"] = engine.images;
  info["Driver"] = engine.storage_driver;
  info["DriverStatus"] = OrderedJson::array();
  info["Plugins"] = {{"Volume", {"local"}},
                     {"Network", {"bridge", "host", "null"}},
                     {"Authorization", nullptr},
                     {"Log", {"json-file", "none"}}};
  info["MemoryLimit"] = true;
  info["SwapLimit"] = host.swap_limit;
  info["CpuCfsPeriod"] = true;
  info["CpuCfsQuota"] = true;
  info["CPUShares"] = true;
  info["CPUSet"] = true;
  info["PidsLimit"] = true;
  info["OomKillDisable"] = false;
  info["IPv4Forwarding"] = host.ipv4_forwarding;
  // Bridge traffic is filtered by Berth's own table, whatever these sysctls say.
  info["BridgeNfIptables"] = true;
  info["BridgeNfIp6tables"] = true;
  info["Debug"] = false;
  info["NFd"] = 0;
  info["NGoroutines"] = 0;
  info["SystemTime"] = format_rfc3339(now());
  info["LoggingDriver"] = "json-file";
  info["CgroupDriver"] = engine.cgroup_driver;
  info["CgroupVersion"] = engine.cgroup_version;
  info["NEventsListener"] = 0;
  info["KernelVersion"] = host.kernel;
  info["OperatingSystem"] = host.operating_system;
  info["OSVersion"] = host.os_version;
  info["OSType"] = "linux";
  info["Architecture"] = host.machine;
  info["IndexServerAddress"] = "";
  info["RegistryConfig"] = {{"InsecureRegistryCIDRs", OrderedJson::array()},
                            {"IndexConfigs", OrderedJson::object()},
                            {"Mirrors", OrderedJson::array()}};
  info["NCPU"] = host.cpus;
  info["MemTotal"] = host.memory;
  info["GenericResources"] = nullptr;
  info["DockerRootDir"] = engine.root;
  info["HttpProxy"] = "";
  info["HttpsProxy"] = "";
  info["NoProxy"] = "";
  info["Name"] = host.hostname;
  info["Labels"] = OrderedJson::array();
  info["ExperimentalBuild"] = false;
  info["ServerVersion"] = product_version;
  info["Runtimes"] = {{"berth", {{"path", "berth-holder"}}}};
  info["DefaultRuntime"] = "berth";
  info["Swarm"] = {{"NodeID", ""},
                   {"NodeAddr", ""},
                   {"LocalNodeState", "inactive"},
                   {"ControlAvailable", false},
                   {"Error", ""},
                   {"RemoteManagers", nullptr}};
  info["LiveRestoreEnabled"] = true;  // the only mode there is
  info["Isolation"] = "";
  info["InitBinary"] = "";
  info["ContainerdCommit"] = {{"ID", ""}, {"Expected", ""}};
  info["RuncCommit"] = {{"ID", ""}, {"Expected", ""}};
  info["InitCommit"] = {{"ID", ""}, {"Expected", ""}};
  info["SecurityOptions"] = {"name=seccomp,profile=builtin"};
  info["Warnings"] = nullptr;
  return dump_json(info);
}

}  // namespace berth::docker
