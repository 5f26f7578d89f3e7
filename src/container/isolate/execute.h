// Execute: from the finished container to the workload's program. execve(2), execveat(2),
// proc_pid_exe(5).
//
// Until it execs, init is a copy of the runtime's own program, and /proc/<init>/exe names that file
// on the host. Two things keep the container from getting hold of it (and overwriting it later):
// init is not dumpable, so that no process of a shared pid namespace may look; and what is executed
// is checked not to be that file (program.h).
//
// The filter is loaded last: it may refuse any call, so nothing follows it but the exec.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "container/isolate/child.h"
#include "container/isolate/identity.h"
#include "container/isolate/notify.h"
#include "container/isolate/program.h"
#include "container/seccomp/compiler.h"
#include "container/spec/spec.h"

namespace berth::container {

struct ExecutePlan {
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::string cwd;
  /// What to try in order: the one path, or each directory of the workload's PATH with the name.
  std::vector<std::string> candidates;
  // Null-terminated, into the strings above; the environment has a slot left for HOME.
  std::vector<char*> argv;
  std::vector<char*> envp;
  bool needs_home = false;
  bool has_seccomp = false;
  SeccompProgram seccomp;
  NotifyPlan notify;
  /// Whether the filter lets execveat(2) through, which runs a file that cannot turn into a link
  /// meanwhile.
  bool may_execveat = true;
  OwnFile own;
  Program program;  // what find_program() found

  ExecutePlan() = default;
  ExecutePlan(const ExecutePlan&) = delete;  // argv and envp point into it
  ExecutePlan& operator=(const ExecutePlan&) = delete;
};

Result<void> plan_execute(const Spec& spec, ExecutePlan& plan);

/// Finds HOME in the container's passwd(5) if the environment lacks it; "/" if that does not say.
void enter_home(ExecutePlan& plan, uid_t uid);
/// Changes into the working directory and checks that it is one of the container's.
bool enter_working_directory(Child& child, const ExecutePlan& plan);
/// Picks the candidate to execute; its index is in `*chosen`.
bool find_program(Child& child, ExecutePlan& plan, std::size_t* chosen);
/// The last steps before an exec: the final capabilities, then the filter. no_new_privs is set if
/// it is asked for. A hook gets no listener of its own: what the agent would be asked is ENOSYS.
bool enter_confinement(Child& child, const IdentityPlan& identity, const ExecutePlan& plan,
                       bool is_hook = false);
/// Closes every descriptor from `first` on but those of `kept`, which are in ascending order.
bool close_descriptors(Child& child, unsigned first, std::span<const int> kept);
/// Returns only on failure.
bool execute(Child& child, const ExecutePlan& plan, std::size_t chosen);

}  // namespace berth::container
