// Workload: the part of a process's way into a container that is the same for the first one
// (init.h) and for those that join it later (exec.h): a session of its own, streams, identity,
// working directory, program.
#pragma once

#include <span>

#include "base/result.h"
#include "container/isolate/attributes.h"
#include "container/isolate/child.h"
#include "container/isolate/console.h"
#include "container/isolate/execute.h"
#include "container/isolate/identity.h"
#include "container/runtime/handshake.h"
#include "container/runtime/report.h"

namespace berth::container {

struct WorkloadPlan {
  ConsolePlan console;
  AttributesPlan attributes;
  IdentityPlan identity;
  ExecutePlan execute;
  int stdio[3] = {-1, -1, -1};  // borrowed; -1: /dev/null
  unsigned preserved_fds = 0;
  bool new_keyring = true;
  /// Nobody is to look at it from its first moment on. Not of a user without privileges, whose
  /// parent has to write into its files of /proc. The child cannot tell by its own id: that changes
  /// when the map is written.
  bool hidden_at_once = true;
  Report report;  // open if there is a filter
};

/// What `spec` says of its process.
Result<void> plan_workload(const Spec& spec, const int (&stdio)[3], WorkloadPlan& plan);

/// The child's side of it. Like everything in the child it returns false on failure, with the
/// reason in child_.failure; give_up() tells it.
class WorkloadChild {
 protected:
  WorkloadChild(WorkloadPlan& plan, int channel) : workload_(plan), channel_(channel) {}

  /// Who it is, apart from the parent: out of reach, signals, session, keyring.
  bool leave_parent();
  /// Closes /proc/<pid> to others up to the exec: it leads to the runtime's program and memory.
  /// That of a user without privileges stays open a while, for its parent has to write there.
  bool hide();
  /// Streams, ids, directory. `own`: descriptors that must not be taken for a stream; all but the
  /// streams, the preserved ones and `kept` are closed (-1: none) before anything is looked up.
  bool settle(std::span<const int> own, std::initializer_list<int> kept);
  /// Closes all but those. From then on no path, not even one through /proc/self/fd, leads out of
  /// the container: what runs next is looked up by paths that the image chose. And the workload's
  /// own limit on descriptors is no hindrance to that.
  bool close_own_descriptors(std::initializer_list<int> kept);
  /// Finds the program and executes it, behind the final capabilities and the filter.
  bool become_program();

  bool tell(Word word, std::span<const int> descriptors = {});
  /// Waits for `word`. What comes earlier than it is needed is kept.
  bool await(Word word);
  /// What came with a word that was awaited.
  std::span<const int> descriptors_of(Word word) const;

  [[noreturn]] void give_up();

  WorkloadPlan& workload_;
  int channel_;
  Child child_;
  int console_ = -1;   // the pty's master, for the parent
  int terminal_ = -1;  // its slave

 private:
  bool enter_streams(std::span<const int> own);
  void hand_over(int fd) const;

  struct Heard {
    bool yes = false;
    Descriptors descriptors;
  };
  Heard heard_[kWords];
  bool filtered_ = false;  // the filter may be loaded: no call but the exec
};

}  // namespace berth::container
