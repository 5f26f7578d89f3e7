#include "container/runtime/failure.h"

#include <algorithm>
#include <array>

#include "container/spec/names.h"

namespace berth::container {
namespace {

struct StepText {
  Step step;
  std::string_view text;
};

// Steps whose name is all there is to say.
constexpr auto kTexts = std::to_array<StepText>({
    {Step::kNotDumpable, "cannot make init not dumpable"},
    {Step::kJoinContainer, "cannot join the container's namespaces"},
    {Step::kEnterNetwork, "cannot enter the network namespace"},
    {Step::kBecomeRoot, "cannot become root of the user namespace (is id 0 mapped?)"},
    {Step::kTimeOffsets, "cannot make the time namespace"},
    {Step::kSession, "cannot start a session"},
    {Step::kKeyring, "cannot make a session keyring"},
    {Step::kLoopback, "cannot bring the loopback interface up"},
    {Step::kEnterCgroup, "cannot enter the cgroups"},
    {Step::kUnshareCgroup, "cannot make the cgroup namespace"},
    {Step::kHostname, "cannot set the host name"},
    {Step::kDomainname, "cannot set the domain name"},
    {Step::kPropagation, "cannot set the propagation of /"},
    {Step::kHostProc, "cannot use the host's /proc"},
    {Step::kDeviceDirectory, "cannot make /dev in the root filesystem"},
    {Step::kConsole, "cannot open a terminal (process.terminal needs a devpts mount)"},
    {Step::kConsoleDevice, "cannot cover /dev/console with the terminal"},
    {Step::kNullDevice, "the host's /dev/null is not the null device"},
    {Step::kReadonlyRoot, "cannot make the root filesystem read-only"},
    {Step::kPivotRoot, "cannot pivot into the root filesystem"},
    {Step::kChangeRoot, "cannot change the root to the container's"},
    {Step::kStandardStreams, "cannot set up the standard streams"},
    {Step::kAffinity, "cannot set process.execCPUAffinity (are these CPUs of the container?)"},
    {Step::kMemoryPolicy,
     "cannot set linux.memoryPolicy (does the host have these nodes, and the cpuset allow them?)"},
    {Step::kPersonality, "cannot set linux.personality"},
    {Step::kApparmor, "cannot apply process.apparmorProfile (is the profile loaded?)"},
    {Step::kSelinux, "cannot apply process.selinuxLabel"},
    {Step::kIoPriority, "cannot set process.ioPriority"},
    {Step::kScheduler,
     "cannot set process.scheduler (a real-time policy needs CAP_SYS_NICE of the host and a cgroup "
     "with real-time runtime, SCHED_DEADLINE a process that may run on every CPU)"},
    {Step::kGroups, "cannot set the supplementary groups"},
    {Step::kUserIds, "cannot change to the user and group of the process (are they mapped?)"},
    {Step::kBoundingSet, "cannot drop capabilities from the bounding set"},
    {Step::kCapabilities, "cannot set the capabilities"},
    {Step::kNoNewPrivileges, "cannot set no_new_privs"},
    {Step::kSeccomp, "cannot load the seccomp filter"},
    {Step::kSeccompListener, "cannot give the seccomp agent its listener (has the agent ended?)"},
    {Step::kCloseDescriptors, "cannot mark descriptors to be closed"},
    {Step::kHookOwnProgram, "a startContainer hook leads to the runtime's own program"},
    {Step::kChannel, "the process lost its parent"},
});

std::string text_of(Step step) {
  const auto* row = std::ranges::find(kTexts, step, &StepText::step);
  return row == kTexts.end() ? fmt::format("step {} failed", static_cast<int>(step))
                             : std::string(row->text);
}

std::string mount_text(const Failure& failure, const MountPlan& mount) {
  const std::string what = mount.kind == MountKind::kBind ? mount.source : mount.type;
  switch (failure.step) {
    case Step::kMountSource:
      return fmt::format("cannot use '{}' to mount on {}", mount.source, mount.destination);
    case Step::kMountTarget:
      return fmt::format("cannot make the mount point {} for {} in the root filesystem",
                         mount.destination, what);
    case Step::kMountInsideProc:
      return fmt::format("refused to mount {} on {}, which is inside of /proc", what,
                         mount.destination);
    case Step::kMountAttributes:
      return fmt::format("cannot set the options of the mount of {} on {}", what,
                         mount.destination);
    case Step::kMountMapping:
      return fmt::format(
          "cannot map the ids of the mount of {} on {} (does its file system support that?)", what,
          mount.destination);
    case Step::kMountCopyUp:
      return fmt::format("cannot fill the {} on {} with what it covers", what, mount.destination);
    default:
      return fmt::format("cannot mount {} on {}", what, mount.destination);
  }
}

std::string describe_workload_step(const Failure& failure, const WorkloadPlan& plan) {
  const std::size_t i = failure.index;
  switch (failure.step) {
    case Step::kWorkingDirectory:
      return fmt::format("cannot change into the working directory '{}'", plan.execute.cwd);
    case Step::kWorkingDirectoryOutside:
      return fmt::format("the working directory '{}' is outside of the container",
                         plan.execute.cwd);
    case Step::kRlimit:
      return fmt::format("cannot set {}",
                         i < plan.identity.limits.size() ? plan.identity.limits[i].name : "?");
    default:
      return text_of(failure.step);
  }
}

std::string describe_step(const Failure& failure, const InitPlan& plan) {
  const std::size_t i = failure.index;
  const auto path_in = [&](const std::vector<std::string>& list) {
    return i < list.size() ? list[i] : "?";
  };
  switch (failure.step) {
    case Step::kJoinNamespace:
      return fmt::format(
          "cannot join the {} namespace",
          i < plan.namespaces.joins.size() ? name_of(plan.namespaces.joins[i].type) : "?");
    case Step::kOpenRootfs:
      return fmt::format("cannot open the root filesystem '{}'", plan.rootfs.path);
    case Step::kRootfsMount:
      return fmt::format("cannot mount the root filesystem's {}",
                         i < plan.rootfs.mounts.size() ? plan.rootfs.mounts[i].type : "?");
    case Step::kRootfsAttach:
      return fmt::format("cannot mount the root filesystem on '{}'", plan.rootfs.path);
    case Step::kMountSource:
    case Step::kMountTarget:
    case Step::kMountInsideProc:
    case Step::kMountFilesystem:
    case Step::kMountAttributes:
    case Step::kMountMapping:
    case Step::kMountCopyUp:
    case Step::kMountAttach:
      return i < plan.mounts.size() ? mount_text(failure, plan.mounts[i]) : "cannot mount";
    case Step::kDeviceNode:
      return fmt::format("cannot make the device {}",
                         i < plan.devices.nodes.size() ? plan.devices.nodes[i].path : "?");
    case Step::kDeviceLink:
      return fmt::format("cannot make the link /dev/{}",
                         i < kDeviceLinks.size() ? kDeviceLinks[i].name : "?");
    case Step::kMaskPath:
      return fmt::format("cannot mask {}", path_in(plan.protect.masked));
    case Step::kReadonlyPath:
      return fmt::format("cannot make {} read-only", path_in(plan.protect.read_only));
    case Step::kSysctl:
      return fmt::format("cannot set the sysctl {}",
                         i < plan.sysctl.entries.size() ? plan.sysctl.entries[i].name : "?");
    case Step::kHook:
      return fmt::format("createContainer hook {}", i < plan.hooks.create_container.size()
                                                        ? plan.hooks.create_container[i]->path
                                                        : "?");
    case Step::kMakeWorkingDirectory:
      return fmt::format("cannot change into the working directory '{}'", plan.execute.cwd);
    default:
      return describe_workload_step(failure, plan);
  }
}

Error hook_failure(const Failure& failure, const std::string& hook) {
  if (failure.error < 0)
    return fail(ErrorKind::kInternal, "{} failed with status {}", hook, -failure.error);
  return Error::from_errno(failure.error, hook);
}

}  // namespace

Error describe_failure(const Failure& failure, const InitPlan& plan) {
  const std::string text = describe_step(failure, plan);
  if (failure.step == Step::kHook) return hook_failure(failure, text);
  if (failure.step == Step::kExec || failure.step == Step::kOwnProgram)
    return describe_start_failure(failure, plan.execute.args[0]).with_kind(ErrorKind::kInvalid);
  Error error = Error::from_errno(failure.error, text);
  // Missing things here are the spec's fault, not a container that is not there.
  if (error.kind() == ErrorKind::kNotFound) return std::move(error).with_kind(ErrorKind::kInvalid);
  return error;
}

Error describe_failure(const Failure& failure, const WorkloadPlan& plan) {
  if (failure.step == Step::kExec || failure.step == Step::kOwnProgram)
    return describe_start_failure(failure, plan.execute.args[0]);
  return Error::from_errno(failure.error, describe_workload_step(failure, plan));
}

Error describe_start_failure(const Failure& failure, const std::string& program) {
  switch (failure.step) {
    case Step::kExec:
      if (failure.error == ENOENT || failure.error == ENOTDIR)
        return fail(
            ErrorKind::kNotFound, "exec: \"{}\": executable file not found{}", program,
            program.find('/') == std::string::npos ? " in $PATH" : ": no such file or directory");
      if (failure.error == EACCES)
        return Error(ErrorKind::kPermission,
                     fmt::format("exec: \"{}\": permission denied", program), failure.error);
      if (failure.error == ENOEXEC)
        return Error(ErrorKind::kPermission,
                     fmt::format("exec: \"{}\": exec format error", program), failure.error);
      return Error::from_errno(failure.error, fmt::format("exec: \"{}\"", program));
    case Step::kOwnProgram:
      return fail(ErrorKind::kPermission,
                  "exec: \"{}\" leads to the runtime's own program, which no container may run",
                  program);
    case Step::kHook:
      return hook_failure(failure, fmt::format("startContainer hook {}", failure.index));
    case Step::kHookOwnProgram:
      return fail(ErrorKind::kPermission,
                  "startContainer hook {} leads to the runtime's own program, which no container "
                  "may run",
                  failure.index);
    default:
      return Error::from_errno(failure.error, text_of(failure.step));
  }
}

}  // namespace berth::container
