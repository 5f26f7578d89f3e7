// Processes by descriptor: clone3(2), pidfd_open(2), pidfd_send_signal(2), waitid(2). A pidfd
// cannot come to mean another process, as a pid can.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "base/result.h"
#include "base/unique_fd.h"

namespace berth::sys {

struct CloneRequest {
  std::uint64_t flags = 0;  // CLONE_NEW*; CLONE_PIDFD and SIGCHLD are implied
  int cgroup = -1;          // a v2 cgroup's directory to be born in (CLONE_INTO_CGROUP); borrowed
  /// A pid namespace to be born in, or the pidfd of a process that is in it; borrowed. setns(2)
  /// does not move a process that is there already.
  int pid_namespace = -1;
};

struct CloneResult {
  pid_t pid = 0;  // 0: this is the child
  UniqueFd pidfd;
};

/// A copy of the calling thread, like fork(2): the child has a copy-on-write copy of memory and, if
/// the caller has other threads, may call only what is async-signal-safe.
Result<CloneResult> clone_process(const CloneRequest& request);

/// Blocks no signal and ignores none, as a program expects to start: both survive an exec, and
/// whoever started this process may have done either (nohup(1), daemons). Async-signal-safe.
void reset_signals();

Result<UniqueFd> open_pidfd(pid_t pid);
/// kNotFound: it has ended.
Result<void> signal_process(int pidfd, int signal);

/// Whether the process behind `pidfd`, whoever's child, has ended. Async-signal-safe.
bool has_ended(int pidfd);

/// How a child ended: waitid(2).
struct ExitStatus {
  int code = 0;    // exit code, meaningful where signal is 0
  int signal = 0;  // the signal that killed it, 0 if it exited
  /// As a shell and Docker report it: 128 + signal.
  int shell_code() const { return signal != 0 ? 128 + signal : code; }
};

/// Waits for the caller's child behind `pidfd` and reaps it.
Result<ExitStatus> wait_process(int pidfd);

}  // namespace berth::sys
