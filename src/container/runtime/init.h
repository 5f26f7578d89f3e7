// Init: the container's first process, from clone3 to exec. make_plan() prepares everything in the
// parent; run_init() is the child.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "container/cgroup/manager.h"
#include "container/isolate/console.h"
#include "container/isolate/devices.h"
#include "container/isolate/execute.h"
#include "container/isolate/hooks.h"
#include "container/isolate/identity.h"
#include "container/isolate/mounts.h"
#include "container/isolate/namespaces.h"
#include "container/isolate/protect.h"
#include "container/isolate/rootfs.h"
#include "container/isolate/sysctl.h"
#include "container/isolate/uts.h"
#include "container/runtime/container.h"
#include "container/runtime/report.h"

namespace berth::container {

/// All that init needs. Its strings and descriptors are copied by clone3 with the rest of memory.
struct InitPlan {
  NamespacePlan namespaces;
  UtsPlan uts;
  RootfsPlan rootfs;
  std::vector<MountPlan> mounts;
  std::size_t first_late =
      0;  // mounts from here on wait until init is in its network namespace and its cgroups
  bool devices_wait = false;  // what is made in /dev is made after those
  DevicesPlan devices;
  ProtectPlan protect;
  ConsolePlan console;
  SysctlPlan sysctl;
  HooksPlan hooks;
  IdentityPlan identity;
  ExecutePlan execute;
  bool runtime_hooks = false;  // the parent has hooks to run while the container is being made
  int stdio[3] = {-1, -1, -1};
  int start_socket = -1;
  unsigned preserved_fds = 0;
  bool new_keyring = true;
  Report report;  // open if there is a filter
};

Result<std::unique_ptr<InitPlan>> make_plan(const Spec& spec, const CreateOptions& options,
                                            const CgroupManager& cgroups,
                                            const std::string& cgroup_path);

/// Makes the container around the calling process, waits for the word, executes. Never returns.
[[noreturn]] void run_init(InitPlan& plan, int channel);

}  // namespace berth::container
