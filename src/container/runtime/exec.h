// Exec: a further process in a running container, behind the same wall as its first: the
// container's namespaces, cgroups and seccomp filter, the limits and capabilities of a
// process of the spec.
//
//   parent                               the new process
//   ------ clone3 --------------------->  in the container's pid namespace (and v2 cgroup)
//                                         out of reach; waits
//   OOM score, hard limits
//   kStart ----------------------------->  enters its v1 cgroups, then the namespaces
//   <----------------- kBorn + descriptor  (no privileges) its child, which goes on in its place
//   kNamed ----------------------------->
//   <-------------- kConsole + descriptor  (terminal) the pty's master
//                                          streams, ids, directory, program, filter, exec
//   <------------------------ end of file  the exec closed its end, or it ended: the report says
//   why
//   <---------------------------- kFailed  instead
//
// What is inside may be hostile: from the clone on the new process is not dumpable, so nothing
// inside may attach to it or look at its descriptors (CVE-2016-9962), and what it executes is
// looked up as init's program is.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "container/spec/spec.h"

namespace berth::container {

struct ExecOptions {
  std::string id;  // the container's
  int init = -1;   // pidfd of the container's first process, which is alive. Borrowed
  pid_t init_pid = 0;
  std::vector<std::string> cgroups;  // the directories to be in, one of each hierarchy
  /// The standard streams when process.terminal is false; -1: /dev/null. Borrowed.
  int stdio[3] = {-1, -1, -1};
  unsigned preserved_fds = 0;  // as CreateOptions
  /// The container's state as JSON, for an agent that a seccomp filter asks.
  std::string state;
  bool new_keyring = true;
};

struct Executed {
  pid_t pid = 0;  // as the caller sees it; its child
  UniqueFd pidfd;
  UniqueFd console;  // with process.terminal: the pty's master
};

/// Executes spec.process in the container that was made of the rest of `spec`; returns when it has.
/// kNotFound: no such executable; kPermission: not executable. On error the process has been
/// reaped.
Result<Executed> exec(const Spec& spec, const ExecOptions& options);

}  // namespace berth::container
