// default_spec(): what `berth-runtime spec` writes for a user to edit.
#include "container/spec/spec.h"

namespace berth::container {
namespace {

Process default_process() {
  Process process;
  process.terminal = true;
  process.args = {"sh"};
  process.env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"};
  const std::vector<std::string> kept = {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"};
  process.capabilities = Capabilities{
      .bounding = kept, .effective = kept, .inheritable = {}, .permitted = kept, .ambient = {}};
  process.rlimits = {{"RLIMIT_NOFILE", 1024, 1024}};
  process.no_new_privileges = true;
  return process;
}

Mount mount(std::string destination, std::string type, std::string source,
            std::vector<std::string> options) {
  return {std::move(destination), std::move(type), std::move(source), std::move(options), {}, {}};
}

std::vector<Mount> default_mounts() {
  return {
      mount("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}),
      mount("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}),
      mount("/dev/pts", "devpts", "devpts",
            {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}),
      mount("/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}),
      mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}),
      mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}),
      mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"}),
  };
}

}  // namespace

Spec default_spec() {
  Spec spec;
  spec.process = default_process();
  spec.root = {"rootfs", true};
  spec.hostname = "berth";
  spec.mounts = default_mounts();
  spec.linux_.namespaces = {{NamespaceType::kPid, {}},   {NamespaceType::kNetwork, {}},
                            {NamespaceType::kIpc, {}},   {NamespaceType::kUts, {}},
                            {NamespaceType::kMount, {}}, {NamespaceType::kCgroup, {}}};
  spec.linux_.masked_paths = {
      "/proc/acpi",       "/proc/asound",      "/proc/interrupts",
      "/proc/kcore",      "/proc/keys",        "/proc/latency_stats",
      "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
      "/proc/scsi",       "/sys/firmware",     "/sys/devices/virtual/powercap"};
  spec.linux_.readonly_paths = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                "/proc/sysrq-trigger"};
  spec.linux_.resources.devices = {
      {.allow = false, .type = {}, .major = {}, .minor = {}, .access = "rwm"}};
  return spec;
}

}  // namespace berth::container
