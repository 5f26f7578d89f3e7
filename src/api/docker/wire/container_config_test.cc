#include "api/docker/wire/container_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/docker/wire/host_config.h"

namespace berth::docker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

CreateRequest parse(std::string_view body) {
  auto request = parse_create_request(body);
  EXPECT_TRUE(request.ok()) << request.error().message();
  return request.ok() ? *request : CreateRequest();
}

// Of a body with an image and these members.
Error error_of(std::string_view members) {
  auto request = parse_create_request(fmt::format(R"({{"Image":"a",{}}})", members));
  return request.ok() ? Error(ErrorKind::kInternal, "it was accepted") : request.error();
}

engine::WorkloadConfig host(std::string_view members) {
  return parse(fmt::format(R"({{"Image":"a","HostConfig":{{{}}}}})", members)).config;
}

TEST(CreateRequest, TakesTheMembersOfConfig) {
  const auto config =
      parse(
          R"({"Image":"a","Hostname":"h","User":"1:2","Cmd":["x","y"],"Entrypoint":"e","Env":["A=b"],
    "Labels":{"l":"m"},"Volumes":{"/v":{}},"ExposedPorts":{"80":{},"53/udp":{}},"StopSignal":"SIGINT","StopTimeout":-1,
    "Tty":true,"OpenStdin":true,"AttachStdout":true,"WorkingDir":"/w","Unknown":[1]})")
          .config;
  EXPECT_EQ(config.image, "a");
  EXPECT_EQ(config.user, "1:2");
  EXPECT_THAT(config.cmd, ElementsAre("x", "y"));
  EXPECT_THAT(*config.entrypoint, ElementsAre("e"));
  EXPECT_THAT(config.volumes, ElementsAre("/v"));
  EXPECT_THAT(config.exposed_ports, ElementsAre("53/udp", "80/tcp"));
  EXPECT_EQ(config.stop_timeout, -1);
  EXPECT_TRUE(config.tty);
  EXPECT_TRUE(config.open_stdin);
  EXPECT_FALSE(config.stdin_once);
  EXPECT_TRUE(config.attach_stdout);
  EXPECT_EQ(config.shm_size, 64 << 20);
}

TEST(CreateRequest, AnEmptyEntrypointClearsTheImagesAndNullKeepsIt) {
  EXPECT_THAT(*parse(R"({"Image":"a","Entrypoint":[]})").config.entrypoint, IsEmpty());
  EXPECT_EQ(parse(R"({"Image":"a","Entrypoint":null})").config.entrypoint, std::nullopt);
  EXPECT_EQ(parse(R"({"Image":"a"})").config.entrypoint, std::nullopt);
}

TEST(CreateRequest, NamesTheMemberThatIsWrong) {
  EXPECT_THAT(parse_create_request("").error().message(), HasSubstr("EOF"));
  EXPECT_THAT(parse_create_request("{").error().message(), HasSubstr("invalid JSON"));
  EXPECT_THAT(parse_create_request("[]").error().message(), HasSubstr("no object"));
  EXPECT_THAT(parse_create_request("{}").error().message(), HasSubstr("no image was named"));
  const std::pair<const char*, const char*> rows[] = {
      {R"("Cmd":[7])", "Cmd"},
      {R"("Cmd":{})", "Cmd"},
      {R"("Env":"A=b")", "Env"},
      {R"("Labels":[])", "Labels"},
      {R"("Volumes":[])", "Volumes"},
      {R"("Tty":"yes")", "Tty"},
      {R"("StopTimeout":2147483648)", "StopTimeout"},
      {R"("StopTimeout":-2)", "StopTimeout"},
      {R"("ExposedPorts":{"x":{}})", "invalid port 'x'"},
      {R"("HostConfig":[])", "HostConfig"},
      {R"("HostConfig":{"Memory":"1"})", "Memory"},
      {R"("HostConfig":{"Memory":1.5})", "Memory"},
      {R"("HostConfig":{"ShmSize":-1})", "SHM size"},
      {R"("HostConfig":{"Ulimits":{}})", "Ulimits"},
      {R"("HostConfig":{"Ulimits":[{"Name":7}]})", "Name"},
      {R"("HostConfig":{"Devices":{}})", "Devices"},
      {R"("HostConfig":{"CapAdd":"ALL"})", "CapAdd"},
      {R"("HostConfig":{"Runtime":"runsc"})", "runtime name: runsc"},
      {R"("NetworkingConfig":{"EndpointsConfig":[1]})", "EndpointsConfig"}};
  for (const auto& [members, says] : rows) {
    const Error error = error_of(members);
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid) << members;
    EXPECT_THAT(error.message(), HasSubstr(says));
  }
}

TEST(CreateRequest, RefusesWhatWouldHaveNoEffect) {
  const std::pair<const char*, const char*> rows[] = {
      {R"("Healthcheck":{"Test":["CMD","x"]})", "--health-cmd"},
      {R"("HostConfig":{"VolumesFrom":["x"]})", "--volumes-from"},
      {R"("HostConfig":{"DeviceRequests":[{}]})", "--gpus"},
      {R"("HostConfig":{"OomKillDisable":true})", "--oom-kill-disable"},
      {R"("HostConfig":{"CpuRealtimePeriod":1})", "--cpu-rt-period"},
      {R"("HostConfig":{"MaskedPaths":[]})", "systempaths"},
      {R"("HostConfig":{"VolumeDriver":"nfs"})", "'nfs'"},
      {R"("HostConfig":{"Isolation":"hyperv"})", "'hyperv'"},
      {R"("NetworkingConfig":{"EndpointsConfig":{"a":{},"b":{}}})", "several networks"},
      {R"("NetworkingConfig":{"EndpointsConfig":{"a":{"Links":["x"]}}})", "--link"},
      {R"("NetworkingConfig":{"EndpointsConfig":{"a":{"IPAMConfig":{"IPv6Address":"::2"}}}})",
       "--ip6"}};
  for (const auto& [members, says] : rows) {
    const Error error = error_of(members);
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported) << members;
    EXPECT_THAT(error.message(), HasSubstr(says));
  }
}

TEST(CreateRequest, WhatIsEmptyIsNotAskedFor) {
  EXPECT_TRUE(parse_create_request(
                  R"({"Image":"a","Healthcheck":{"Test":["NONE"]},"HostConfig":{"VolumesFrom":null,
    "Links":[],"DeviceRequests":[],"OomKillDisable":false,"CpuRealtimePeriod":0,"MaskedPaths":null,"StorageOpt":{},
    "VolumeDriver":"local","Isolation":"default","Runtime":"runc"}})")
                  .ok());
  EXPECT_THAT(parse(R"({"Image":"a","HostConfig":{"MemorySwappiness":-1}})").warnings, IsEmpty());
  EXPECT_EQ(parse(R"({"Image":"a","HostConfig":{"MemorySwappiness":60}})").warnings.size(), 1U);
}

TEST(CreateRequest, PlacesTheContainerOnANetwork) {
  const auto named = [](std::string_view mode, std::string_view endpoints) {
    return parse(fmt::format(R"({{"Image":"a","HostConfig":{{"NetworkMode":"{}"}},)"
                             R"("NetworkingConfig":{{"EndpointsConfig":{}}}}})",
                             mode, endpoints))
        .config;
  };
  EXPECT_EQ(named("", R"({"net":null})").network_mode, "net");
  EXPECT_EQ(named("default", R"({"net":{}})").network_mode, "net");
  EXPECT_EQ(named("host", R"({"net":{}})").network_mode, "host");
  const auto config = named(
      "net",
      R"({"net":{"IPAMConfig":{"IPv4Address":"172.17.0.9"},"MacAddress":"02:00:00:00:00:01"}})");
  EXPECT_EQ(config.static_address, "172.17.0.9");
  EXPECT_EQ(config.mac_address, "02:00:00:00:00:01");
  EXPECT_EQ(parse(R"({"Image":"a","NetworkDisabled":true,"HostConfig":{"NetworkMode":"bridge"}})")
                .config.network_mode,
            "none");
}

TEST(HostConfig, TakesResourcesAndLists) {
  const auto config = host(
      R"("Memory":1048576,"MemorySwap":-1,"NanoCpus":500000000,"PidsLimit":7,"CpusetCpus":"0-1",
    "Ulimits":[{"Name":"nofile","Soft":1,"Hard":2}],"Devices":[{"PathOnHost":"/dev/fuse"}],"CapAdd":["ALL"],
    "Sysctls":{"net.x":"1"},"LogConfig":{"Type":"none","Config":{"a":"b"}},"RestartPolicy":{"Name":"no"},
    "ReadonlyRootfs":true,"ShmSize":4096,"OomScoreAdj":-5)");
  EXPECT_EQ(config.resources.memory, 1048576);
  EXPECT_EQ(config.resources.memory_swap, -1);
  EXPECT_EQ(config.resources.nano_cpus, 500000000);
  EXPECT_EQ(config.resources.pids_limit, 7);
  ASSERT_EQ(config.ulimits.size(), 1U);
  EXPECT_EQ(config.ulimits[0].hard, 2);
  ASSERT_EQ(config.devices.size(), 1U);
  EXPECT_EQ(config.devices[0].container_path, "/dev/fuse");
  EXPECT_EQ(config.devices[0].permissions, "rwm");
  EXPECT_EQ(config.log.driver, "none");
  EXPECT_EQ(config.shm_size, 4096);
  EXPECT_EQ(config.oom_score_adj, -5);
}

// What inspect shows can be sent again and means the same.
TEST(HostConfig, SurvivesARoundTrip) {
  const char* members =
      R"("Binds":["/a:/b:ro"],"PortBindings":{"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"8080"}]},
    "Memory":4096,"CpuShares":5,"PidsLimit":9,"CapDrop":["MKNOD"],"Dns":["1.1.1.1"],"ExtraHosts":["a:1.2.3.4"],
    "Ulimits":[{"Name":"core","Soft":0,"Hard":0}],"Sysctls":{"net.x":"1"},"ReadonlyRootfs":true,"Init":true,
    "NetworkMode":"bridge","PidMode":"host","SecurityOpt":["no-new-privileges"],"Annotations":{"a":"b"})";
  const auto first = host(members);
  const std::string shown = dump_json(host_config_json(first));
  std::vector<std::string> warnings;
  engine::WorkloadConfig second;
  second.image = "a";
  const auto parsed = parse_host_config(*parse_json(shown), second, warnings);
  ASSERT_TRUE(parsed.ok()) << parsed.error().message();
  EXPECT_EQ(dump_json(host_config_json(second)), shown);
  EXPECT_EQ(second.ports, first.ports);
  EXPECT_EQ(second.mounts.size(), 1U);
}

TEST(ContainerConfig, SurvivesARoundTrip) {
  const auto first = parse(
      R"({"Image":"a","Cmd":["x"],"Entrypoint":["e"],"Env":["A=b"],"Labels":{"l":"m"},"Volumes":{"/v":{}},
          "ExposedPorts":{"80/tcp":{}},"StopSignal":"SIGINT","StopTimeout":3,"Tty":true,"User":"u"})");
  const std::string shown = dump_json(container_config_json(first.config));
  EXPECT_EQ(dump_json(container_config_json(parse(shown).config)), shown);
  EXPECT_THAT(shown, HasSubstr(R"("OnBuild":null)"));
}

}  // namespace
}  // namespace berth::docker
