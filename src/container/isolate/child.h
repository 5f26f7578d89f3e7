// The side of a container's creation that runs between clone3 and exec, in the child.
//
// Rules, because the child is a copy of one thread of a process that may have others:
//   - only async-signal-safe calls: no heap, no locks, no logging; code of the child is in files
//   *_child.cc
//   - everything it needs was prepared by the parent as a plan: a struct whose strings it only
//   reads
//   - descriptors are not owned here: exec and exit close them all
//   - a function returns false on failure and has left (step, index, errno) in Child::failure; the
//   parent, which has the
//     plan, turns that into a sentence (runtime/failure.cc)
// Each kernel concept has a pair of files with the same two verbs: plan_x() in the parent,
// enter_x() in the child. The smallest, and the one to copy, is uts.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace berth::container {

/// What the child was doing. The meaning of Failure::index is in the comment.
enum class Step : std::uint16_t {
  kNone,
  kNotDumpable,
  kJoinNamespace,  // index into NamespacePlan::joins
  kJoinContainer,
  kEnterNetwork,
  kBecomeRoot,  // of the new user namespace
  kTimeOffsets,
  kSession,
  kKeyring,
  kLoopback,
  kEnterCgroup,  // index into CgroupManager::entrances()
  kUnshareCgroup,
  kHostname,
  kDomainname,
  kPropagation,
  kHostProc,
  kOpenRootfs,
  kRootfsMount,  // index into RootfsPlan::mounts, as in the next
  kRootfsAttach,
  kMountSource,  // index into MountsPlan::mounts, as in the next seven
  kMountTarget,
  kMountInsideProc,
  kMountFilesystem,
  kMountAttributes,
  kMountMapping,
  kMountCopyUp,
  kMountAttach,
  kDeviceDirectory,
  kDeviceNode,  // index into DevicesPlan::nodes
  kDeviceLink,  // index into kDeviceLinks
  kConsole,
  kConsoleDevice,
  kNullDevice,
  kMaskPath,      // index into ProtectPlan::masked
  kReadonlyPath,  // index into ProtectPlan::read_only
  kSysctl,        // index into SysctlPlan::entries
  kHook,          // index into the hooks of the child, as in the next
  kHookOwnProgram,
  kReadonlyRoot,
  kMakeWorkingDirectory,
  kPivotRoot,
  kChangeRoot,
  kStandardStreams,
  kAffinity,
  kMemoryPolicy,
  kPersonality,
  kApparmor,
  kSelinux,
  kIoPriority,
  kScheduler,
  kRlimit,  // index into ProcessPlan::rlimits
  kGroups,
  kUserIds,
  kWorkingDirectory,
  kWorkingDirectoryOutside,
  kBoundingSet,
  kCapabilities,
  kNoNewPrivileges,
  kSeccomp,
  kSeccompListener,
  kCloseDescriptors,
  kOwnProgram,
  kExec,
  kChannel,  // the parent is gone, or spoke out of turn
};

struct Failure {
  Step step = Step::kNone;
  std::uint16_t index = 0;
  std::int32_t error = 0;  // errno
};

/// What the child knows while it builds the container around itself.
struct Child {
  /// The mount namespaces of the host, where binds that stay its peers are made, and of the child.
  int host_mounts = -1;
  int own_mounts = -1;
  int host_root = -1;  // the runtime's own root in the former
  int root = -1;       // the container's root mount (O_PATH)
  int proc =
      -1;  // root of a procfs that was mounted here and so is no fake; before that, the host's
  int devpts = -1;       // root of the container's devpts, if it mounted one
  int null_device = -1;  // the host's /dev/null, checked to be one (O_PATH)
  Failure failure;

  /// Records `step` with the current errno. Returns false, for `return child.fail(...)`.
  bool fail(Step step, std::size_t index = 0) {
    failure = {step, static_cast<std::uint16_t>(index), errno};
    return false;
  }
  bool fail_with(int error, Step step, std::size_t index = 0) {
    errno = error;
    return fail(step, index);
  }
};

}  // namespace berth::container
