// Init: the container's first process, from clone3 to exec. make_plan() prepares everything in the
// parent; run_init() is the child.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "container/cgroup/manager.h"
#include "container/isolate/devices.h"
#include "container/isolate/hooks.h"
#include "container/isolate/mapped_mounts.h"
#include "container/isolate/mounts.h"
#include "container/isolate/namespaces.h"
#include "container/isolate/protect.h"
#include "container/isolate/rootfs.h"
#include "container/isolate/sysctl.h"
#include "container/isolate/uts.h"
#include "container/runtime/container.h"
#include "container/runtime/workload.h"

namespace berth::container {

/// All that init needs. Its strings and descriptors are copied by clone3 with the rest of memory.
struct InitPlan : WorkloadPlan {
  NamespacePlan namespaces;
  UtsPlan uts;
  RootfsPlan rootfs;
  std::vector<MountPlan> mounts;
  MappedMounts mapped;  // those of them that the parent makes
  std::size_t first_late =
      0;  // mounts from here on wait until init is in its network namespace and its cgroups
  bool devices_wait = false;  // what is made in /dev is made after those
  DevicesPlan devices;
  ProtectPlan protect;
  SysctlPlan sysctl;
  HooksPlan hooks;
  bool runtime_hooks =
      false;  // the parent has hooks to run, or interfaces to move, while it is being made
  int start_socket = -1;
};

Result<std::unique_ptr<InitPlan>> make_plan(const Spec& spec, const CreateOptions& options,
                                            const CgroupManager& cgroups);

/// Makes the container around the calling process, waits for the word, executes. Never returns.
[[noreturn]] void run_init(InitPlan& plan, int channel);

}  // namespace berth::container
