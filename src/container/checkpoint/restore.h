// Restore: makes a container again from what a checkpoint wrote down.
//
//   cgroups made and limited
//   criu started in them, and in a mount namespace with the container's root
//   criu: namespaces made           the network's loopback and interfaces; prestart and
//                                   createRuntime hooks
//   criu: processes restored        on_begun(pid): its caller writes the record
//   criu: the terminal's master     kept for the caller
//   criu: processes run
//
// What fails on the way is undone: the processes, then the cgroups.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "container/checkpoint/options.h"
#include "container/runtime/container.h"
#include "container/spec/spec.h"

namespace berth::container {

struct RestoreOptions : CriuCommon {
  std::string id;
  std::string bundle;  // absolute
  /// The container's new streams; -1: none. Borrowed.
  int stdio[3] = {-1, -1, -1};
  std::string lsm_profile;  // "apparmor:NAME", "selinux:LABEL": instead of the one of the dump
  std::string lsm_mount_context;
  bool systemd_cgroup = false;  // refused
  /// As CreateOptions::on_begun: the cgroups before they are made, and the pid before it runs.
  std::function<Result<void>(const Begun&)> on_begun = {};
};

struct Restored {
  pid_t pid = 0;  // a child of the caller
  UniqueFd pidfd;
  UniqueFd console;  // the terminal's master; invalid: it had none
};

/// kInvalid, kUnsupported: the spec, as for a creation, or its mount namespace is not its own.
/// kInternal: criu failed.
Result<Restored> restore(const Spec& spec, const RestoreOptions& options);

}  // namespace berth::container
