// A table of specs that are wrong in one place, each with what the error has to say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "container/spec/names.h"
#include "container/spec/spec.h"

namespace berth::container {
namespace {

using ::testing::HasSubstr;

Spec plain() {
  Spec spec;
  spec.process.args = {"sh"};
  spec.root.path = "rootfs";
  for (const auto type : {NamespaceType::kMount, NamespaceType::kPid, NamespaceType::kNetwork,
                          NamespaceType::kUts, NamespaceType::kIpc})
    spec.linux_.namespaces.push_back({type, ""});
  return spec;
}

void without(Spec& spec, NamespaceType type) {
  std::erase_if(spec.linux_.namespaces, [&](const Namespace& n) { return n.type == type; });
}

Namespace& find(Spec& spec, NamespaceType type) {
  for (Namespace& candidate : spec.linux_.namespaces)
    if (candidate.type == type) return candidate;
  return spec.linux_.namespaces.emplace_back(Namespace{type, ""});
}

Mount mount_at(const char* destination, const char* type = "tmpfs", const char* source = "x") {
  Mount mount;
  mount.destination = destination;
  mount.type = type;
  mount.source = source;
  return mount;
}

Device device(const char* type, const char* path) {
  Device made;
  made.type = type;
  made.path = path;
  return made;
}

SeccompProfile seccomp(std::function<void(SeccompRule&)> change) {
  SeccompProfile profile;
  profile.syscalls.push_back(
      {.names = {"read"}, .action = SeccompAction::kAllow, .errno_ret = {}, .args = {}});
  change(profile.syscalls.back());
  return profile;
}

struct Row {
  const char* says;  // part of the error; empty: the spec is fine
  std::function<void(Spec&)> change;
  ErrorKind kind = ErrorKind::kInvalid;
};

void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    Spec spec = plain();
    row.change(spec);
    const auto valid = validate(spec);
    if (*row.says == '\0') {
      EXPECT_TRUE(valid.ok()) << valid.error().message();
      continue;
    }
    if (valid.ok()) {
      ADD_FAILURE() << "accepted, instead of: " << row.says;
      continue;
    }
    EXPECT_THAT(valid.error().message(), HasSubstr(row.says));
    EXPECT_EQ(valid.error().kind(), row.kind) << row.says;
  }
}

TEST(Validate, Basics) {
  check({
      {"", [](Spec&) {}},
      {"", [](Spec& s) { s.oci_version = "1.9.0-rc.1"; }},
      {"ociVersion '2.0.0'", [](Spec& s) { s.oci_version = "2.0.0"; }},
      {"ociVersion ''", [](Spec& s) { s.oci_version = ""; }},
      {"ociVersion '10.0'", [](Spec& s) { s.oci_version = "10.0"; }},
      {"root.path must name", [](Spec& s) { s.root.path = ""; }},
  });
}

TEST(Validate, Process) {
  const auto rlimit = [](const char* type, std::uint64_t soft, std::uint64_t hard) {
    return Rlimit{type, soft, hard};
  };
  check({
      {"process.args must name a program", [](Spec& s) { s.process.args.clear(); }},
      {"process.args must name a program", [](Spec& s) { s.process.args = {"", "x"}; }},
      {"process.cwd must be an absolute path, not ''", [](Spec& s) { s.process.cwd = ""; }},
      {"process.cwd must be an absolute path, not 'w'", [](Spec& s) { s.process.cwd = "w"; }},
      {"process.oomScoreAdj must be from -1000 to 1000, not 1001",
       [](Spec& s) { s.process.oom_score_adj = 1001; }},
      {"process.oomScoreAdj", [](Spec& s) { s.process.oom_score_adj = -1001; }},
      {"", [](Spec& s) { s.process.oom_score_adj = -1000; }},
      {"process.user.umask", [](Spec& s) { s.process.user.umask = 01000; }},
      {"", [](Spec& s) { s.process.user.umask = 0777; }},
      {"process.rlimits[0].type: unknown limit 'NOFILE'",
       [&](Spec& s) { s.process.rlimits = {rlimit("NOFILE", 1, 1)}; }},
      {"process.rlimits[1]: soft 2 is above hard 1",
       [&](Spec& s) {
         s.process.rlimits = {rlimit("RLIMIT_CPU", 1, 1), rlimit("RLIMIT_NOFILE", 2, 1)};
       }},
      {"process.rlimits[1]: RLIMIT_CPU is given twice",
       [&](Spec& s) {
         s.process.rlimits = {rlimit("RLIMIT_CPU", 1, 1), rlimit("RLIMIT_CPU", 1, 1)};
       }},
      {"process.capabilities.bounding: unknown capability 'CHOWN'",
       [](Spec& s) { s.process.capabilities.emplace().bounding = {"CHOWN"}; }},
      {"process.capabilities.effective: unknown capability 'cap_chown'",
       [](Spec& s) { s.process.capabilities.emplace().effective = {"cap_chown"}; }},
      {"process.capabilities.inheritable",
       [](Spec& s) { s.process.capabilities.emplace().inheritable = {""}; }},
      {"process.capabilities.permitted",
       [](Spec& s) { s.process.capabilities.emplace().permitted = {"CAP_X"}; }},
      {"process.capabilities.ambient",
       [](Spec& s) { s.process.capabilities.emplace().ambient = {"CAP_X"}; }},
      {"", [](Spec& s) { s.process.capabilities.emplace().ambient = {"CAP_CHOWN"}; }},
  });
}

TEST(Validate, Hooks) {
  const auto hook = [](const char* path) {
    Hook made;
    made.path = path;
    return made;
  };
  const auto hurried = [] {
    Hook made;
    made.path = "/h";
    made.timeout = 0;
    return made;
  };
  check({
      {"hooks.prestart[0].path must be absolute, not 'h'",
       [&](Spec& s) { s.hooks.prestart = {hook("h")}; }},
      {"hooks.createRuntime[1].path",
       [&](Spec& s) { s.hooks.create_runtime = {hook("/h"), hook("")}; }},
      {"hooks.createContainer[0].path", [&](Spec& s) { s.hooks.create_container = {hook("./h")}; }},
      {"hooks.startContainer[0].path", [&](Spec& s) { s.hooks.start_container = {hook("h")}; }},
      {"hooks.poststart[0].path", [&](Spec& s) { s.hooks.poststart = {hook("h")}; }},
      {"hooks.poststop[0].timeout must be above zero",
       [&](Spec& s) { s.hooks.poststop = {hurried()}; }},
  });
}

TEST(Validate, Mounts) {
  check({
      {"mounts[0].destination must not be empty", [](Spec& s) { s.mounts = {mount_at("")}; }},
      {"", [](Spec& s) { s.mounts = {mount_at("x")}; }},
      {"is inside /proc", [](Spec& s) { s.mounts = {mount_at("proc/self/attr")}; }},
      {"",
       [](Spec& s) {
         s.mounts = {mount_at("/proc/self", "")};
         s.mounts[0].options = {"ro", "remount"};
       }},
      {"mounts[1].destination must not contain '..'",
       [](Spec& s) { s.mounts = {mount_at("/a..b"), mount_at("/a/../b")}; }},
      {"mounts[0].destination must not contain '..'",
       [](Spec& s) { s.mounts = {mount_at("/a/..")}; }},
      {"mounts[0].type must be given", [](Spec& s) { s.mounts = {mount_at("/a", "")}; }},
      {"",
       [](Spec& s) {
         s.mounts = {mount_at("/a", "")};
         s.mounts[0].options = {"ro", "rbind"};
       }},
      {"mounts[0] must have both uidMappings and gidMappings",
       [](Spec& s) {
         s.mounts = {mount_at("/a")};
         s.mounts[0].gid_mappings = {{0, 1, 1}};
       }},
  });
}

// CVE-2019-16884, CVE-2019-19921.
TEST(Validate, NothingIsMountedOverTheKernelsProc) {
  check({
      {"", [](Spec& s) { s.mounts = {mount_at("/proc", "proc")}; }},
      {"", [](Spec& s) { s.mounts = {mount_at("/proc/", "proc")}; }},
      {"", [](Spec& s) { s.mounts = {mount_at("/proc", "bind", "/proc")}; }},
      {"", [](Spec& s) { s.mounts = {mount_at("/proc/meminfo", "bind", "/fake")}; }},
      {"", [](Spec& s) { s.mounts = {mount_at("/proc/net/dev", "bind", "/fake")}; }},
      {"", [](Spec& s) { s.mounts = {mount_at("/process")}; }},
      {"only a proc file system can", [](Spec& s) { s.mounts = {mount_at("/proc", "tmpfs")}; }},
      {"only a proc file system can", [](Spec& s) { s.mounts = {mount_at("//proc/.", "tmpfs")}; }},
      {"only a proc file system can",
       [](Spec& s) { s.mounts = {mount_at("/proc", "tmpfs", "/proc")}; }},
      {"only a proc file system can",
       [](Spec& s) {
         s.mounts = {mount_at("/proc", "proc", "/dir")};
         s.mounts[0].options = {"ro", "bind"};
       }},
      {"it is inside /proc", [](Spec& s) { s.mounts = {mount_at("/proc/sys")}; }},
      {"it is inside /proc", [](Spec& s) { s.mounts = {mount_at("/./proc//self/attr")}; }},
      {"it is inside /proc", [](Spec& s) { s.mounts = {mount_at("/proc/meminfo/x")}; }},
      {"it is inside /proc", [](Spec& s) { s.mounts = {mount_at("/proc/x", "proc")}; }},
  });
}

TEST(Validate, Namespaces) {
  check({
      {"linux.namespaces[4].path must be absolute, not 'ns'",
       [](Spec& s) { find(s, NamespaceType::kIpc).path = "ns"; }},
      {"linux.namespaces[5]: pid is given twice",
       [](Spec& s) { s.linux_.namespaces.push_back({NamespaceType::kPid, ""}); }},
      {"", [](Spec& s) { find(s, NamespaceType::kMount).path = "/proc/1/ns/mnt"; }},
      {"", [](Spec& s) { without(s, NamespaceType::kMount); }},
      {"a new user namespace needs a new mount namespace",
       [](Spec& s) {
         find(s, NamespaceType::kUser);
         s.linux_.uid_mappings = s.linux_.gid_mappings = {{0, 100000, 65536}};
         find(s, NamespaceType::kMount).path = "/proc/1/ns/mnt";
       }},
      {"must be given for a new user namespace", [](Spec& s) { find(s, NamespaceType::kUser); }},
      {"must be given for a new user namespace",
       [](Spec& s) {
         find(s, NamespaceType::kUser);
         s.linux_.uid_mappings = {{0, 1, 1}};
       }},
      {"",
       [](Spec& s) {
         find(s, NamespaceType::kUser);
         s.linux_.uid_mappings = s.linux_.gid_mappings = {{0, 1, 1}};
       }},
      {"need a new user namespace", [](Spec& s) { s.linux_.gid_mappings = {{0, 1, 1}}; }},
      {"need a new user namespace",
       [](Spec& s) {
         find(s, NamespaceType::kUser).path = "/proc/1/ns/user";
         s.linux_.uid_mappings = s.linux_.gid_mappings = {{0, 1, 1}};
       }},
      {"", [](Spec& s) { find(s, NamespaceType::kUser).path = "/proc/1/ns/user"; }},
      {"linux.timeOffsets needs a new time namespace",
       [](Spec& s) { s.linux_.time_offsets.monotonic.emplace(); }},
      {"linux.timeOffsets needs a new time namespace",
       [](Spec& s) {
         find(s, NamespaceType::kTime).path = "/proc/1/ns/time";
         s.linux_.time_offsets.boottime.emplace();
       }},
      {"",
       [](Spec& s) {
         find(s, NamespaceType::kTime);
         s.linux_.time_offsets.boottime.emplace();
       }},
      {"need a uts namespace",
       [](Spec& s) {
         without(s, NamespaceType::kUts);
         s.hostname = "h";
       }},
      {"need a uts namespace",
       [](Spec& s) {
         without(s, NamespaceType::kUts);
         s.domainname = "d";
       }},
      {"hostname is over 64 bytes", [](Spec& s) { s.hostname = std::string(65, 'h'); }},
      {"domainname is over 64 bytes", [](Spec& s) { s.domainname = std::string(65, 'd'); }},
      {"", [](Spec& s) { s.hostname = std::string(64, 'h'); }},
  });
}

TEST(Validate, SysctlsOfANamespaceOfItsOwn) {
  const auto set = [](const char* key, std::optional<NamespaceType> lacking = {}) {
    return [=](Spec& s) {
      if (lacking) without(s, *lacking);
      s.linux_.sysctl = {{key, "1"}};
    };
  };
  check({
      {"", set("net.ipv4.ip_forward")},
      {"", set("net/ipv4/conf/eth0.1/forwarding")},
      {"'net.ipv4.ip_forward' needs a network namespace",
       set("net.ipv4.ip_forward", NamespaceType::kNetwork)},
      {"needs a network namespace", set("net/ipv4/ip_forward", NamespaceType::kNetwork)},
      {"", set("kernel.shmmax")},
      {"", set("fs.mqueue.msg_max")},
      {"'kernel.shmmax' needs a ipc namespace", set("kernel.shmmax", NamespaceType::kIpc)},
      {"needs a ipc namespace", set("fs.mqueue.msg_max", NamespaceType::kIpc)},
      {"", set("kernel.domainname")},
      {"needs a uts namespace", set("kernel.domainname", NamespaceType::kUts)},
      {"would change the host", set("kernel.hostname")},
      {"would change the host", set("vm.swappiness")},
      {"would change the host", set("kernel.shmmaxx")},
      {"would change the host", set("")},
      {"is not a sysctl's name", set("net...vm.swappiness")},
      {"is not a sysctl's name", set("net/../vm/swappiness")},
      {"is not a sysctl's name", set("/net/ipv4")},
  });
}

TEST(Validate, Devices) {
  const auto with = [](Device made) { return [=](Spec& s) { s.linux_.devices = {made}; }; };
  const auto numbered = [](std::int64_t major, std::int64_t minor) {
    return [=](Spec& s) {
      s.linux_.devices = {device("c", "/dev/x")};
      s.linux_.devices[0].major = major;
      s.linux_.devices[0].minor = minor;
    };
  };
  check({
      {"", with(device("p", "/dev/x"))},
      {"", with(device("u", "/dev/a/x"))},
      {"linux.devices[0].type must be c, b, u or p, not 'd'", with(device("d", "/dev/x"))},
      {"linux.devices[0].type", with(device("", "/dev/x"))},
      {"linux.devices[0].path", with(device("c", "dev/x"))},
      {"linux.devices[0].path", with(device("c", "/dev/../x"))},
      {"linux.devices[0].path", with(device("c", "/dev/x/"))},
      {"linux.devices[0].fileMode",
       [](Spec& s) {
         s.linux_.devices = {device("c", "/dev/x")};
         s.linux_.devices[0].file_mode = 010000;
       }},
      {"", numbered(4095, 1048575)},
      {"linux.devices[0].major must be from 0 to 4095, not -1", numbered(-1, 0)},
      {"linux.devices[0].major must be from 0 to 4095, not 4096", numbered(4096, 0)},
      {"linux.devices[0].minor must be from 0 to 1048575, not -1", numbered(1, -1)},
      {"linux.devices[0].minor must be from 0 to 1048575, not 1048576", numbered(1, 1048576)},
  });
}

TEST(Validate, DeviceRules) {
  const auto with = [](DeviceRule rule) {
    return [=](Spec& s) { s.linux_.resources.devices = {rule}; };
  };
  const auto rule = [](const char* type, std::int64_t major, std::int64_t minor,
                       const char* access) {
    return DeviceRule{
        .allow = true, .type = type, .major = major, .minor = minor, .access = access};
  };
  check({
      {"", with(rule("a", -1, -1, "rwm"))},
      {"", with(rule("", -1, -1, "r"))},
      {"linux.resources.devices[0].access must be given", with(rule("c", 1, 1, ""))},
      {"", with(rule("c", 4095, 1048575, "mr"))},
      {"linux.resources.devices[0].type must be a, b or c, not 'u'", with(rule("u", 1, 1, "r"))},
      {"linux.resources.devices[0].access must be of r, w and m, not 'rx'",
       with(rule("c", 1, 1, "rx"))},
      {"linux.resources.devices[0].major must be from -1 to 4095, not -2",
       with(rule("c", -2, 1, "r"))},
      // Cut to 32 bits it would be another device: 1:3.
      {"linux.resources.devices[0].major must be from -1 to 4095, not 4294967297",
       with(rule("c", 4294967297, 3, "r"))},
      {"linux.resources.devices[0].minor must be from -1 to 1048575, not 4294967299",
       with(rule("c", 1, 4294967299, "r"))},
  });
}

TEST(Validate, Paths) {
  check({
      {"linux.maskedPaths[1] must be an absolute path",
       [](Spec& s) { s.linux_.masked_paths = {"/a", "b"}; }},
      {"linux.maskedPaths[0]", [](Spec& s) { s.linux_.masked_paths = {"/a/.."}; }},
      {"linux.readonlyPaths[0]", [](Spec& s) { s.linux_.readonly_paths = {""}; }},
      {"linux.readonlyPaths[0]", [](Spec& s) { s.linux_.readonly_paths = {"/../a"}; }},
      {"linux.cgroupsPath must not contain '..'", [](Spec& s) { s.linux_.cgroups_path = ".."; }},
      {"linux.cgroupsPath", [](Spec& s) { s.linux_.cgroups_path = "/a/../../b"; }},
      {"", [](Spec& s) { s.linux_.cgroups_path = "/a..b/c"; }},
      {"linux.resources.unified: '../memory.max'",
       [](Spec& s) { s.linux_.resources.unified = {{"../memory.max", "1"}}; }},
      {"linux.resources.unified: 'cgroup.procs'",
       [](Spec& s) { s.linux_.resources.unified = {{"cgroup.procs", "1"}}; }},
      {"linux.resources.unified: ''", [](Spec& s) { s.linux_.resources.unified = {{"", "1"}}; }},
      {"", [](Spec& s) { s.linux_.resources.unified = {{"memory.high", "1"}}; }},
      {"linux.rootfsPropagation", [](Spec& s) { s.linux_.rootfs_propagation = "public"; }},
      {"", [](Spec& s) { s.linux_.rootfs_propagation = "rslave"; }},
  });
}

TEST(Validate, Seccomp) {
  const auto with = [](std::function<void(SeccompRule&)> change) {
    return [=](Spec& s) { s.linux_.seccomp = seccomp(change); };
  };
  check({
      {"", with([](SeccompRule&) {})},
      {"linux.seccomp.listenerPath must be an absolute path for SCMP_ACT_NOTIFY, not ''",
       [](Spec& s) { s.linux_.seccomp.emplace().default_action = SeccompAction::kNotify; }},
      {"linux.seccomp.listenerMetadata needs a listenerPath",
       [](Spec& s) { s.linux_.seccomp.emplace().listener_metadata = "x"; }},
      {"",
       [](Spec& s) {
         s.linux_.seccomp.emplace().default_action = SeccompAction::kNotify;
         s.linux_.seccomp->listener_path = "/run/agent";
         s.linux_.seccomp->listener_metadata = "x";
       }},
      {"linux.seccomp.defaultErrnoRet must be at most 4095",
       [](Spec& s) { s.linux_.seccomp.emplace().default_errno_ret = 4096; }},
      {"linux.seccomp.listenerPath",
       with([](SeccompRule& r) { r.action = SeccompAction::kNotify; })},
      {"linux.seccomp.syscalls[0].names must not be empty",
       with([](SeccompRule& r) { r.names.clear(); })},
      {"linux.seccomp.syscalls[0].errnoRet must be at most 4095", with([](SeccompRule& r) {
         r.action = SeccompAction::kErrno;
         r.errno_ret = 4096;
       })},
      {"", with([](SeccompRule& r) {
         r.action = SeccompAction::kErrno;
         r.errno_ret = 4095;
       })},
      {"", with([](SeccompRule& r) {
         r.action = SeccompAction::kTrace;
         r.errno_ret = 1;
       })},
      {"linux.seccomp.syscalls[0].errnoRet is for SCMP_ACT_ERRNO and SCMP_ACT_TRACE, not "
       "SCMP_ACT_ALLOW",
       with([](SeccompRule& r) { r.errno_ret = 1; })},
      {"linux.seccomp.defaultErrnoRet is for SCMP_ACT_ERRNO and SCMP_ACT_TRACE, not SCMP_ACT_LOG",
       [](Spec& s) {
         s.linux_.seccomp.emplace().default_action = SeccompAction::kLog;
         s.linux_.seccomp->default_errno_ret = 1;
       }},
      {"linux.seccomp.syscalls[0].args: index must be at most 5", with([](SeccompRule& r) {
         r.args.push_back({.index = 6, .value = 0, .value_two = 0, .op = SeccompOperator::kEq});
       })},
      {"", with([](SeccompRule& r) {
         r.args.push_back({.index = 5, .value = 0, .value_two = 0, .op = SeccompOperator::kEq});
       })},
  });
}

TEST(Validate, Environment) {
  check({
      {"", [](Spec& s) { s.process.env = {"A=", "B==", "A=1"}; }},
      {"process.env[1] must be NAME=value, not 'B'", [](Spec& s) { s.process.env = {"A=", "B"}; }},
      {"process.env[0] must be NAME=value, not '=b'", [](Spec& s) { s.process.env = {"=b"}; }},
  });
}

Scheduler scheduler(SchedulerPolicy policy, std::int32_t priority = 0) {
  Scheduler made;
  made.policy = policy;
  made.priority = priority;
  return made;
}

TEST(Validate, Scheduler) {
  const auto with = [](SchedulerPolicy policy, std::function<void(Scheduler&)> change) {
    return [=](Spec& s) { change(s.process.scheduler.emplace(scheduler(policy))); };
  };
  const auto priority = [](std::int32_t value) {
    return [=](Scheduler& s) { s.priority = value; };
  };
  check({
      {"", with(SchedulerPolicy::kOther, [](Scheduler& s) { s.nice = -20; })},
      {"", with(SchedulerPolicy::kBatch, [](Scheduler& s) { s.nice = 19; })},
      {"process.scheduler.nice must be from -20 to 19, not 20",
       with(SchedulerPolicy::kOther, [](Scheduler& s) { s.nice = 20; })},
      {"process.scheduler.nice", with(SchedulerPolicy::kOther, [](Scheduler& s) { s.nice = -21; })},
      {"process.scheduler.priority is for SCHED_FIFO and SCHED_RR, not for SCHED_IDLE",
       with(SchedulerPolicy::kIdle, priority(1))},
      {"", with(SchedulerPolicy::kFifo, priority(1))},
      {"", with(SchedulerPolicy::kRoundRobin, priority(99))},
      {"process.scheduler.priority must be from 1 to 99 for SCHED_FIFO",
       with(SchedulerPolicy::kFifo, priority(0))},
      {"process.scheduler.priority must be from 1 to 99 for SCHED_RR",
       with(SchedulerPolicy::kRoundRobin, priority(100))},
      {"are for SCHED_DEADLINE, not for SCHED_OTHER",
       with(SchedulerPolicy::kOther, [](Scheduler& s) { s.runtime = 1; })},
      {"", with(SchedulerPolicy::kDeadline, [](Scheduler& s) { s.runtime = s.deadline = 1; })},
  });
}

TEST(Validate, InterfacesAndTheirLimits) {
  const auto device = [](const char* name, const char* inside) {
    return [=](Spec& s) { s.linux_.net_devices[name].name = inside; };
  };
  check({
      {"", device("eth0", "")},
      {"", device("eth0", "eth%d")},
      {"linux.netDevices: '' is no interface's name", device("", "")},
      {"linux.netDevices: 'sixteen-is-over15' is no", device("sixteen-is-over15", "")},
      {"linux.netDevices.eth0.name: 'a/b' is no interface's name", device("eth0", "a/b")},
      {"linux.netDevices.eth0.name: '..' is no interface's name", device("eth0", "..")},
      {"linux.netDevices needs a network namespace",
       [](Spec& s) {
         s.linux_.net_devices["eth0"];
         without(s, NamespaceType::kNetwork);
       }},
      {"linux.resources.network.priorities: 'a b' is no interface's name",
       [](Spec& s) { s.linux_.resources.network.priorities = {{"a b", 1}}; }},
      {"", [](Spec& s) { s.linux_.resources.rdma["mlx5"].handles = 1; }},
      {"linux.resources.rdma: 'mlx5' must be a device's name with hcaHandles or hcaObjects",
       [](Spec& s) { s.linux_.resources.rdma["mlx5"]; }},
      {"linux.resources.rdma: 'a b'", [](Spec& s) { s.linux_.resources.rdma["a b"].objects = 1; }},
  });
}

TEST(Validate, OtherAttributes) {
  const auto memory = [](MemoryPolicyMode mode, const char* nodes) {
    return [=](Spec& s) { s.linux_.memory_policy = MemoryPolicy{mode, nodes, {}}; };
  };
  check({
      {"", [](Spec& s) { s.process.io_priority = {IoPriorityClass::kIdle, 7}; }},
      {"process.ioPriority.priority must be from 0 to 7, not 8",
       [](Spec& s) { s.process.io_priority = {IoPriorityClass::kIdle, 8}; }},
      {"process.ioPriority.priority must be from 0 to 7, not -1",
       [](Spec& s) { s.process.io_priority = {IoPriorityClass::kIdle, -1}; }},
      {"", [](Spec& s) { s.process.exec_cpu_affinity = {"0-1", "3"}; }},
      {"process.execCPUAffinity.initial must be a list like 0-3,7, not 'x'",
       [](Spec& s) { s.process.exec_cpu_affinity = {"x", "3"}; }},
      {"process.execCPUAffinity.final must be a list",
       [](Spec& s) { s.process.exec_cpu_affinity = {"", "3-1"}; }},
      {"linux.personality.flags: 'x' is not known",
       [](Spec& s) { s.linux_.personality = {PersonalityDomain::kLinux, {"x"}}; }},
      {"", memory(MemoryPolicyMode::kDefault, "")},
      {"", memory(MemoryPolicyMode::kPreferred, "")},
      {"", memory(MemoryPolicyMode::kPreferred, "0")},
      {"", memory(MemoryPolicyMode::kInterleave, "0-1")},
      {"linux.memoryPolicy.nodes must be left out with MPOL_LOCAL",
       memory(MemoryPolicyMode::kLocal, "0")},
      {"linux.memoryPolicy.nodes must be given with MPOL_BIND",
       memory(MemoryPolicyMode::kBind, "")},
      {"linux.memoryPolicy.nodes must be a list", memory(MemoryPolicyMode::kBind, "a")},
  });
}

TEST(Validate, ClassesOfService) {
  const auto clos = [](const char* id) {
    return [=](Spec& s) { s.linux_.intel_rdt = IntelRdt{.clos_id = id}; };
  };
  const auto lines = [](std::string l3, std::string mb, std::vector<std::string> schemata) {
    return [=](Spec& s) { s.linux_.intel_rdt = IntelRdt{{}, l3, mb, schemata, false}; };
  };
  check({
      {"", clos("")},
      {"", clos("/")},
      {"", clos("gold")},
      {"", lines("L3:0=f", "MB:0=20", {"L2:0=f", "MB:0=30"})},
      {"linux.intelRdt.closID must be the name of a directory", clos("..")},
      {"linux.intelRdt.closID must be the name of a directory", clos("a/b")},
      {"linux.intelRdt.closID must be the name of a directory", clos("/a")},
      {"linux.intelRdt.closID must be the name of a directory", clos("info")},
      {"linux.intelRdt.memBwSchema must start with MB:", lines("", "L3:0=f", {})},
      {"linux.intelRdt: a schema is one line", lines("L3:0=f\nMB:0=1", "", {})},
      {"linux.intelRdt: a schema is one line", lines("", "", {"L3:0=f\n"})},
  });
}

TEST(Names, AreReadAndWrittenByOneTable) {
  for (const auto& row : kNamespaceNames) {
    EXPECT_EQ(value_of<NamespaceType>(row.name), row.value);
    EXPECT_EQ(name_of(row.value), row.name);
  }
  for (const auto& row : kSeccompOperatorNames) {
    EXPECT_EQ(value_of<SeccompOperator>(row.name), row.value);
    EXPECT_EQ(name_of(row.value), row.name);
  }
  for (const auto& row : kSeccompActionNames)
    EXPECT_EQ(value_of<SeccompAction>(row.name), row.value);
  EXPECT_EQ(name_of(SeccompAction::kKillThread), "SCMP_ACT_KILL");
  EXPECT_EQ(value_of<NamespaceType>("mnt"), std::nullopt);
}

}  // namespace
}  // namespace berth::container
