#include "container/spec/spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "container/seccomp/default_profile.h"

namespace berth::container {
namespace {

using ::testing::HasSubstr;

std::string error_of(std::string_view json) {
  auto spec = parse_spec(json);
  if (!spec.ok()) return spec.error().message();
  auto valid = validate(*spec);
  return valid.ok() ? "" : valid.error().message();
}

// A config.json around `process` fields and `linux` fields.
std::string config(std::string_view process, std::string_view section) {
  return fmt::format(
      R"({{"ociVersion":"1.0.2","root":{{"path":"rootfs"}},"process":{{"cwd":"/","args":["sh"]{}}},)"
      R"("linux":{{"namespaces":[{{"type":"mount"}}]{}}}}})",
      process, section);
}

TEST(Spec, DefaultSpecIsValidAndSurvivesARoundTrip) {
  const Spec spec = default_spec();
  EXPECT_TRUE(validate(spec).ok());
  auto again = parse_spec(to_json(spec));
  ASSERT_TRUE(again.ok()) << again.error().message();
  EXPECT_EQ(*again, spec);
  auto pretty = parse_spec(to_pretty_json(spec));
  ASSERT_TRUE(pretty.ok());
  EXPECT_EQ(*pretty, spec);
}

TEST(Spec, WrittenTextIsJsonToOthers) {
  Spec spec = default_spec();
  spec.process.env.push_back("ODD=\"\\\n\x01 \xC3\xA9 \xFF");
  spec.linux_.seccomp = default_seccomp_profile({});
  auto json = parse_json(to_json(spec));
  ASSERT_TRUE(json.ok()) << json.error().message();
  EXPECT_EQ((*json)["process"]["env"].back(), "ODD=\"\\\n\x01 \xC3\xA9 \xEF\xBF\xBD");
  EXPECT_EQ((*json)["linux"]["seccomp"]["defaultErrnoRet"], 1);
}

TEST(Spec, EverySectionIsRead) {
  const auto spec = parse_spec(R"({
    "ociVersion": "1.2.0", "hostname": "h", "domainname": "d", "annotations": {"a": "b"},
    "process": {"terminal": true, "consoleSize": {"height": 24, "width": 80}, "cwd": "/w", "args": ["a", "b"],
      "user": {"uid": 1, "gid": 2, "umask": 18, "additionalGids": [3]}, "oomScoreAdj": -5,
      "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 18446744073709551615, "soft": 7}]},
    "root": {"path": "r", "readonly": true},
    "mounts": [{"destination": "/x", "source": "/y", "type": "none", "options": ["rbind"]}],
    "hooks": {"poststop": [{"path": "/h", "args": ["h"], "timeout": 3}]},
    "linux": {
      "namespaces": [{"type": "network", "path": "/n"}], "uidMappings": [{"containerID": 0, "hostID": 9, "size": 2}],
      "devices": [{"type": "c", "path": "/dev/fuse", "major": 10, "minor": 229, "fileMode": 438}],
      "cgroupsPath": "/c", "sysctl": {"net.x": "1"}, "rootfsPropagation": "slave", "maskedPaths": ["/m"],
      "timeOffsets": {"boottime": {"secs": -1, "nanosecs": 2}},
      "resources": {"devices": [{"allow": true, "type": "c", "major": 1, "minor": -1, "access": "r"}],
        "memory": {"limit": 1, "swap": -1, "disableOOMKiller": false}, "pids": {"limit": 5}, "unified": {"memory.high": "3"},
        "cpu": {"shares": 2, "quota": -1, "period": 100, "cpus": "0-1"}, "hugepageLimits": [{"pageSize": "2MB", "limit": 4}],
        "blockIO": {"weight": 10, "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 6}]}},
      "seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["x"], "action": "SCMP_ACT_ERRNO",
        "args": [{"index": 1, "value": 2, "valueTwo": 3, "op": "SCMP_CMP_MASKED_EQ"}]}]}}})");
  ASSERT_TRUE(spec.ok()) << spec.error().message();
  EXPECT_EQ(spec->process.console_size->width, 80);
  EXPECT_EQ(spec->process.rlimits[0].hard, ~std::uint64_t{0});
  EXPECT_EQ(spec->process.user.umask, 18u);
  EXPECT_EQ(spec->linux_.namespaces[0], (Namespace{NamespaceType::kNetwork, "/n"}));
  EXPECT_EQ(spec->linux_.time_offsets.boottime->secs, -1);
  EXPECT_EQ(spec->linux_.resources.memory.disable_oom_killer, false);
  EXPECT_EQ(spec->linux_.resources.devices[0].minor, -1);
  EXPECT_EQ(spec->linux_.seccomp->syscalls[0].args[0].op, SeccompOperator::kMaskedEq);
  EXPECT_EQ(spec->linux_.resources.block_io.read_bps[0].rate, 6u);
  EXPECT_EQ(*parse_spec(to_json(*spec)), *spec);
}

TEST(Spec, AttributesAndDevicesAreRead) {
  const auto spec = parse_spec(R"({
    "ociVersion": "1.3.0",
    "process": {"cwd": "/", "args": ["sh"], "apparmorProfile": "p", "selinuxLabel": "s",
      "scheduler": {"policy": "SCHED_RR", "priority": 4, "flags": ["SCHED_FLAG_RESET_ON_FORK"], "period": 9},
      "ioPriority": {"class": "IOPRIO_CLASS_IDLE", "priority": 3},
      "execCPUAffinity": {"initial": "0", "final": "1-2"}},
    "linux": {
      "mountLabel": "m", "personality": {"domain": "LINUX32"},
      "memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]},
      "netDevices": {"eth0": {"name": "in0"}, "eth1": {}},
      "resources": {"rdma": {"mlx5": {"hcaHandles": 3}},
        "network": {"classID": 7, "priorities": [{"name": "eth0", "priority": 5}]}},
      "seccomp": {"defaultAction": "SCMP_ACT_NOTIFY", "listenerPath": "/l", "listenerMetadata": "x"}}})");
  ASSERT_TRUE(spec.ok()) << spec.error().message();
  EXPECT_EQ(spec->process.apparmor_profile + spec->process.selinux_label, "ps");
  EXPECT_EQ(spec->process.scheduler->policy, SchedulerPolicy::kRoundRobin);
  EXPECT_EQ(spec->process.scheduler->priority, 4);
  EXPECT_EQ(spec->process.scheduler->period, 9U);
  EXPECT_EQ(spec->process.io_priority, (IoPriority{IoPriorityClass::kIdle, 3}));
  EXPECT_EQ(spec->process.exec_cpu_affinity, (CpuAffinity{"0", "1-2"}));
  EXPECT_EQ(spec->linux_.mount_label, "m");
  EXPECT_EQ(spec->linux_.personality->domain, PersonalityDomain::kLinux32);
  EXPECT_EQ(spec->linux_.memory_policy->mode, MemoryPolicyMode::kBind);
  EXPECT_EQ(spec->linux_.net_devices.at("eth0").name, "in0");
  EXPECT_TRUE(spec->linux_.net_devices.contains("eth1"));
  EXPECT_EQ(spec->linux_.resources.rdma.at("mlx5"), (RdmaLimit{3, {}}));
  EXPECT_EQ(spec->linux_.resources.network.class_id, 7U);
  EXPECT_EQ(spec->linux_.resources.network.priorities[0].priority, 5U);
  EXPECT_EQ(spec->linux_.seccomp->listener_path + spec->linux_.seccomp->listener_metadata, "/lx");
  EXPECT_EQ(*parse_spec(to_json(*spec)), *spec);
}

TEST(Spec, AValueOfAMapIsNamedByItsPath) {
  EXPECT_THAT(error_of(config("", R"(,"netDevices":{"eth0":{"name":3}})")),
              HasSubstr("linux.netDevices.eth0.name must be a string"));
  EXPECT_THAT(error_of(config(R"(,"scheduler":{"policy":"X"})", "")),
              HasSubstr("process.scheduler.policy must be one of SCHED_OTHER"));
}

TEST(Spec, UnknownMembersAndNullsAreSkipped) {
  EXPECT_EQ(error_of(config(R"(,"later":{"a":[1,{"b":null}]},"env":null)", R"(,"seccomp":null)")),
            "");
}

TEST(Spec, ErrorsNameTheField) {
  EXPECT_THAT(error_of(R"({"ociVersion":"1.0","process":{"cwd":"/","user":{"uid":-1,"gid":0}}})"),
              HasSubstr("process.user.uid must be a whole number from 0 to 4294967295"));
  EXPECT_THAT(error_of(config(R"(,"env":["a",3])", "")),
              HasSubstr("process.env[1] must be a string"));
  EXPECT_THAT(error_of(R"({"root":{"path":"x"}})"), HasSubstr("ociVersion must be given"));
  EXPECT_THAT(error_of(config("", R"(,"seccomp":{"defaultAction":"NO"})")),
              HasSubstr("linux.seccomp.defaultAction must be one of SCMP_ACT_KILL"));
  EXPECT_THAT(error_of(config(R"(,"env":["a\u0000b"])", "")),
              HasSubstr("process.env[0] must be free of NUL"));
  EXPECT_THAT(error_of(config("", "") + "x"), HasSubstr("nothing more expected at line 1"));
  EXPECT_THAT(error_of(R"({"ociVersion":)"), HasSubstr("ociVersion must be a string"));
  EXPECT_THAT(error_of(std::string(200, '[')), HasSubstr("the document must be an object"));
  EXPECT_THAT(error_of("{\"x\":" + std::string(200, '[')), HasSubstr("nested too deep"));
}

TEST(Spec, ValidationNamesTheField) {
  EXPECT_THAT(error_of(config(R"(,"cwd":"w")", "")),
              HasSubstr("process.cwd must be an absolute path"));
  EXPECT_THAT(error_of(config(R"(,"args":[])", "")), HasSubstr("process.args must name a program"));
  EXPECT_THAT(error_of(config(R"(,"capabilities":{"bounding":["CAP_X"]})", "")),
              HasSubstr("process.capabilities.bounding: unknown capability 'CAP_X'"));
  EXPECT_THAT(error_of(config(R"(,"rlimits":[{"type":"RLIMIT_CPU","soft":2,"hard":1}])", "")),
              HasSubstr("soft 2 is above hard 1"));
  EXPECT_THAT(error_of(config("", R"(,"sysctl":{"net.core.somaxconn":"1"})")),
              HasSubstr("needs a network namespace of its own"));
  EXPECT_THAT(error_of(config("", R"(,"sysctl":{"vm.swappiness":"1"})")),
              HasSubstr("would change the host"));
  EXPECT_THAT(error_of(config("", R"(,"maskedPaths":["/proc/../x"])")),
              HasSubstr("linux.maskedPaths[0]"));
  EXPECT_THAT(error_of(config("", R"(,"cgroupsPath":"/a/../../b")")),
              HasSubstr("linux.cgroupsPath"));
  EXPECT_THAT(error_of(config("", R"(,"uidMappings":[{"containerID":0,"hostID":0,"size":1}])")),
              HasSubstr("need a new user namespace"));
}

TEST(Spec, ClassesOfServiceAreThereWithoutAFieldToo) {
  EXPECT_FALSE(parse_spec(config("", ""))->linux_.intel_rdt.has_value());
  EXPECT_EQ(parse_spec(config("", R"(,"intelRdt":{})"))->linux_.intel_rdt, IntelRdt{});
  const auto spec = parse_spec(config("", R"(,"intelRdt":{"closID":"x","l3CacheSchema":"L3:0=f",
      "memBwSchema":"MB:0=20","schemata":["L2:0=f"],"enableMonitoring":true,"enableCMT":true})"));
  EXPECT_EQ(spec->linux_.intel_rdt, (IntelRdt{"x", "L3:0=f", "MB:0=20", {"L2:0=f"}, true}));
  EXPECT_EQ(*parse_spec(to_json(*spec)), *spec);
}

TEST(DefaultProfile, CapabilitiesOpenTheirCalls) {
  const auto allows = [](const SeccompProfile& profile, const std::string& name) {
    for (const auto& rule : profile.syscalls)
      if (rule.action == SeccompAction::kAllow && rule.args.empty() &&
          std::ranges::count(rule.names, name) > 0)
        return true;
    return false;
  };
  const std::vector<std::string> none, admin = {"CAP_SYS_ADMIN"};
  EXPECT_FALSE(allows(default_seccomp_profile(none), "mount"));
  EXPECT_TRUE(allows(default_seccomp_profile(admin), "mount"));
  EXPECT_TRUE(allows(default_seccomp_profile(none), "openat"));
  EXPECT_FALSE(allows(default_seccomp_profile(admin), "kexec_load"));
}

}  // namespace
}  // namespace berth::container
