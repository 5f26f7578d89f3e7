// Notify: a seccomp filter that asks an agent. The listener that seccomp(2) gives init has to reach
// the agent's socket before the exec, which may be the first call the agent is asked about.
// seccomp_unotify(2); config-linux.md, "The Container Process State".
//
// The parent connects and writes down what is to be said, as init has no path to the socket any
// more. Init sends it, with the listener, in one message: once the filter is loaded that is a call
// like others, so that a filter which would not let it through is refused before anything is made.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "container/isolate/child.h"
#include "container/seccomp/compiler.h"
#include "container/spec/spec.h"

namespace berth::container {

struct NotifyPlan {
  UniqueFd socket;         // connected to the agent; invalid: there is none to be asked
  UniqueFd state;          // a memfd with the container process state
  std::string metadata;    // for the state
  bool may_close = false;  // the filter lets close(2) through

  bool is_wanted() const { return socket.valid(); }
  /// In the parent, once init has them.
  void close();
};

/// Connects to the agent if the profile asks one. kUnsupported: the filter would not let the
/// listener be sent.
Result<NotifyPlan> plan_notify(const SeccompProfile& profile, const SeccompProgram& program);
/// Before init loads its filter. `state`: the container's, as JSON.
Result<void> write_process_state(const NotifyPlan& plan, pid_t pid, const std::string& state);

/// The text to be sent, mapped while every call is still allowed.
struct ProcessState {
  const char* text = nullptr;
  std::size_t size = 0;
};
// Async-signal-safe; false with errno.
bool map_process_state(const NotifyPlan& plan, ProcessState* state);
bool send_listener(const NotifyPlan& plan, const ProcessState& state, int listener);

}  // namespace berth::container
