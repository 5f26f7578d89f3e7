#include "berth/create/body.h"

#include <gtest/gtest.h>

#include "berth/create/option_flags.h"

namespace berth::cli {
namespace {

using Words = std::vector<std::string>;

// The request that `berth run <words>` sends, or what is wrong with the words.
struct Outcome {
  Json body;
  std::string error;
};

Outcome run(const Words& words) {
  CreateOptions options;
  auto parsed = parse_flags(kRunFlags, words, false, &options);
  if (!parsed.ok()) return {{}, parsed.error().message()};
  auto body = create_body(options, parsed->operands, {24, 80});
  if (!body.ok()) return {{}, body.error().message()};
  return {std::move(*body), ""};
}

Json at(const Words& words, const char* pointer) {
  const Outcome outcome = run(words);
  EXPECT_EQ(outcome.error, "");
  return outcome.body.value(Json::json_pointer(pointer), Json("absent"));
}

TEST(CreateBody, ImageAndCommand) {
  EXPECT_EQ(at({"busybox"}, "/Image"), "busybox");
  EXPECT_EQ(at({"busybox"}, "/Cmd"), nullptr);
  EXPECT_EQ(at({"busybox", "sh", "-c", "exit 3"}, "/Cmd"), Json({"sh", "-c", "exit 3"}));
  EXPECT_EQ(at({"busybox"}, "/Entrypoint"), nullptr);
  EXPECT_EQ(at({"--entrypoint", "/bin/x", "busybox"}, "/Entrypoint"), Json::array({"/bin/x"}));
  EXPECT_EQ(at({"--entrypoint=", "busybox"}, "/Entrypoint"), Json::array({""}));
}

TEST(CreateBody, Streams) {
  EXPECT_EQ(at({"i"}, "/AttachStdin"), false);
  EXPECT_EQ(at({"i"}, "/AttachStdout"), true);
  EXPECT_EQ(at({"-it", "i"}, "/Tty"), true);
  EXPECT_EQ(at({"-it", "i"}, "/StdinOnce"), true);
  EXPECT_EQ(at({"-d", "-i", "i"}, "/OpenStdin"), true);
  EXPECT_EQ(at({"-d", "-i", "i"}, "/StdinOnce"), false);
  EXPECT_EQ(at({"-d", "i"}, "/AttachStdout"), false);
  EXPECT_EQ(at({"-a", "STDERR", "i"}, "/AttachStdout"), false);
  EXPECT_EQ(at({"-a", "stderr", "i"}, "/AttachStderr"), true);
  EXPECT_EQ(run({"-a", "x", "i"}).error,
            "invalid argument \"x\" for \"-a, --attach\" flag: valid streams are STDIN, STDOUT and "
            "STDERR");
  EXPECT_EQ(run({"-d", "-a", "stdin", "i"}).error,
            "conflicting options: cannot specify both --attach and --detach");
  EXPECT_EQ(at({"i"}, "/HostConfig/ConsoleSize"), Json({24, 80}));
}

TEST(CreateBody, EnvironmentAndLabels) {
  EXPECT_EQ(at({"-e", "A=1", "--env", "B=2", "i"}, "/Env"), Json({"A=1", "B=2"}));
  EXPECT_EQ(at({"-l", "a=b", "--label", "c", "i"}, "/Labels"), Json({{"a", "b"}, {"c", ""}}));
}

TEST(CreateBody, Ports) {
  const Words words = {"-p", "127.0.0.1:8080:80", "-p", "81:80", "--expose", "53/udp", "i"};
  EXPECT_EQ(dump_json(at(words, "/ExposedPorts")), R"({"53/udp":{},"80/tcp":{}})");
  EXPECT_EQ(
      dump_json(at(words, "/HostConfig/PortBindings")),
      R"({"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"8080"},{"HostIp":"","HostPort":"81"}]})");
  EXPECT_EQ(run({"-p", "x:80", "i"}).error,
            "invalid argument \"x:80\" for \"-p, --publish\" flag: invalid hostPort: x");
}

TEST(CreateBody, Storage) {
  EXPECT_EQ(at({"-v", "/a:/b:ro", "i"}, "/HostConfig/Binds"), Json::array({"/a:/b:ro"}));
  EXPECT_EQ(dump_json(at({"-v", "/data", "i"}, "/Volumes")), R"({"/data":{}})");
  EXPECT_EQ(at({"--tmpfs", "/t:size=1m", "--tmpfs", "/u", "i"}, "/HostConfig/Tmpfs"),
            Json({{"/t", "size=1m"}, {"/u", ""}}));
  EXPECT_EQ(at({"--mount", "type=bind,src=/a,dst=/b", "i"}, "/HostConfig/Mounts/0/Target"), "/b");
  EXPECT_EQ(at({"--shm-size", "128m", "i"}, "/HostConfig/ShmSize"), 134217728);
  EXPECT_EQ(at({"--read-only", "i"}, "/HostConfig/ReadonlyRootfs"), true);
  EXPECT_EQ(run({"--mount", "x=y", "i"}).error,
            "invalid argument \"x=y\" for \"--mount\" flag: unknown option 'x' in 'x=y'");
}

TEST(CreateBody, Resources) {
  EXPECT_EQ(at({"-m", "64m", "i"}, "/HostConfig/Memory"), 67108864);
  EXPECT_EQ(at({"--memory-swap", "-1", "i"}, "/HostConfig/MemorySwap"), -1);
  EXPECT_EQ(at({"--cpus", "0.5", "i"}, "/HostConfig/NanoCpus"), 500000000);
  EXPECT_EQ(at({"--pids-limit", "10", "i"}, "/HostConfig/PidsLimit"), 10);
  EXPECT_EQ(at({"--cpu-shares", "512", "i"}, "/HostConfig/CpuShares"), 512);
  EXPECT_EQ(at({"--cpuset-cpus", "0,1", "i"}, "/HostConfig/CpusetCpus"), "0,1");
  EXPECT_EQ(at({"--ulimit", "nofile=5:9", "i"}, "/HostConfig/Ulimits/0/Hard"), 9);
  EXPECT_EQ(at({"--device", "/dev/null:/dev/x", "i"}, "/HostConfig/Devices/0/PathInContainer"),
            "/dev/x");
  EXPECT_EQ(run({"--memory-swappiness", "101", "i"}).error,
            "invalid value: 101. Valid memory swappiness range is 0-100");
}

TEST(CreateBody, Wall) {
  EXPECT_EQ(at({"--rm", "i"}, "/HostConfig/AutoRemove"), true);
  EXPECT_EQ(at({"--isolation", "microvm", "i"}, "/HostConfig/Isolation"), "microvm");
  EXPECT_EQ(at({"--cap-add", "NET_ADMIN", "--cap-drop=ALL", "i"}, "/HostConfig/CapDrop"),
            Json::array({"ALL"}));
  EXPECT_EQ(at({"--init", "i"}, "/HostConfig/Init"), true);
  EXPECT_EQ(at({"i"}, "/HostConfig/Init"), "absent");
  EXPECT_EQ(at({"--security-opt", "systempaths=unconfined", "i"}, "/HostConfig/MaskedPaths"),
            Json::array());
  EXPECT_EQ(at({"--sysctl", "net.ipv4.ip_forward=1", "i"}, "/HostConfig/Sysctls"),
            Json({{"net.ipv4.ip_forward", "1"}}));
  EXPECT_EQ(at({"--pid", "container:x", "i"}, "/HostConfig/PidMode"), "container:x");
  EXPECT_EQ(at({"--restart", "on-failure:3", "i"}, "/HostConfig/RestartPolicy/MaximumRetryCount"),
            3);
  EXPECT_EQ(at({"--stop-timeout", "0", "--stop-signal", "INT", "i"}, "/StopTimeout"), 0);
  EXPECT_EQ(at({"i"}, "/StopTimeout"), "absent");
  EXPECT_EQ(run({"--pid", "x", "i"}).error, "--pid: invalid mode 'x'");
  EXPECT_EQ(run({"--uts", "container:x", "i"}).error, "--uts: invalid mode 'container:x'");
  EXPECT_EQ(run({"--rm", "--restart", "always", "i"}).error,
            "conflicting options: cannot specify both --restart and --rm");
}

TEST(CreateBody, Health) {
  EXPECT_EQ(at({"--no-healthcheck", "i"}, "/Healthcheck/Test"), Json::array({"NONE"}));
  EXPECT_EQ(at({"--health-cmd", "true", "--health-interval=5s", "i"}, "/Healthcheck/Interval"),
            5000000000);
  EXPECT_EQ(at({"--health-cmd", "true", "i"}, "/Healthcheck/Test"), Json({"CMD-SHELL", "true"}));
  EXPECT_EQ(at({"i"}, "/Healthcheck"), "absent");
  EXPECT_FALSE(run({"--no-healthcheck", "--health-cmd", "x", "i"}).error.empty());
}

TEST(CreateBody, Networks) {
  EXPECT_EQ(at({"i"}, "/HostConfig/NetworkMode"), "default");
  EXPECT_EQ(at({"i"}, "/NetworkingConfig/EndpointsConfig"), Json::object());
  EXPECT_EQ(at({"--network", "none", "i"}, "/HostConfig/NetworkMode"), "none");
  EXPECT_EQ(at({"--net=front", "--network-alias", "web", "i"},
               "/NetworkingConfig/EndpointsConfig/front/Aliases"),
            Json::array({"web"}));
  EXPECT_EQ(at({"--network", "name=front,alias=a,ip=10.0.0.9", "i"},
               "/NetworkingConfig/EndpointsConfig/front/IPAMConfig/IPv4Address"),
            "10.0.0.9");
  EXPECT_EQ(at({"--network", "a", "--network", "b", "i"}, "/NetworkingConfig/EndpointsConfig/b"),
            Json::object());
  EXPECT_EQ(run({"--network", "a", "--network", "a", "i"}).error,
            "network \"a\" is specified multiple times");
  EXPECT_EQ(run({"--network", "name=a,x=y", "i"}).error,
            "invalid argument \"name=a,x=y\" for \"--network\" flag: invalid field key x");
  EXPECT_EQ(at({"--add-host", "db:10.0.0.1", "i"}, "/HostConfig/ExtraHosts"),
            Json::array({"db:10.0.0.1"}));
  EXPECT_FALSE(run({"--add-host", "db", "i"}).error.empty());
}

}  // namespace
}  // namespace berth::cli
