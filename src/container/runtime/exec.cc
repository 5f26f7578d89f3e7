#include "container/runtime/exec.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/scope_exit.h"
#include "container/cgroup/manager.h"
#include "container/resctrl/groups.h"
#include "container/runtime/exec_plan.h"
#include "container/runtime/failure.h"
#include "container/runtime/grants.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/socket.h"

namespace berth::container {
namespace {

struct Prepared {
  ExecPlan plan;
  std::unique_ptr<CgroupManager> cgroups;
  std::vector<UniqueFd> entrances;
  UniqueFd root;
};

// Of a container that shares its mount namespace: its own root is chroot's, and no namespace's.
Result<UniqueFd> open_root(const ExecOptions& options) {
  UniqueFd root =
      TRY(sys::open_file(fmt::format("/proc/{}/root", options.init_pid), O_PATH | O_DIRECTORY)
              .context("the container's root"));
  // The number was still init's when the directory was opened.
  if (sys::has_ended(options.init)) return fail(ErrorKind::kConflict, "the container has stopped");
  return root;
}

Result<std::unique_ptr<Prepared>> prepare(const Spec& spec, const ExecOptions& options) {
  auto prepared = std::make_unique<Prepared>();
  ExecPlan& plan = prepared->plan;
  TRY(plan_workload(spec, options.stdio, plan));
  plan.preserved_fds = options.preserved_fds;
  plan.new_keyring = options.new_keyring;
  plan.init = options.init;
  const Namespace* mounts = find_namespace(spec, NamespaceType::kMount);
  if (!mounts || !mounts->path.empty()) prepared->root = TRY(open_root(options));
  plan.root = prepared->root.get();
  plan.namespaces = namespaces_of(spec);
  plan.twice = ::geteuid() != 0 && (plan.namespaces & CLONE_NEWPID) != 0;
  prepared->cgroups = TRY(adopt_cgroups(options.cgroups));
  prepared->entrances = TRY(prepared->cgroups->entrances());
  for (const UniqueFd& entrance : prepared->entrances)
    plan.entrances.fds[plan.entrances.count++] = entrance.get();
  return prepared;
}

// The copy is closed to others from its first moment on, not only from the one in which it says so
// itself.
Result<sys::CloneResult> clone_out_of_reach(const sys::CloneRequest& request) {
  if (::geteuid() != 0) return sys::clone_process(request);  // who is inside is the user too
  const int before = ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return fail_errno("cannot become not dumpable");
  auto cloned = sys::clone_process(request);
  if (cloned.ok() && cloned->pid == 0) return cloned;
  ::prctl(PR_SET_DUMPABLE, before == 1 ? 1 : 0, 0, 0, 0);
  return cloned;
}

// What the seccomp agent will be told of the process.
Result<void> name_process(ExecPlan& plan, const ExecOptions& options, pid_t pid) {
  TRY(write_process_state(plan.execute.notify, pid, options.state));
  plan.execute.notify.close();
  return {};
}

// Until the exec closes the other end.
Result<void> hear(int channel, ExecPlan& plan, const ExecOptions& options, Executed& executed) {
  Message message;
  Descriptors descriptors;
  while (receive_message(channel, message, descriptors)) {
    UniqueFd received(descriptors.count == 1 ? descriptors.fds[0] : -1);
    if (message.word == Word::kFailed) return describe_failure(message.failure, plan);
    if (message.word == Word::kBorn && plan.twice && received.valid()) {
      (void)sys::wait_process(executed.pidfd.get());
      executed.pid = message.pid;
      executed.pidfd = std::move(received);
      TRY(name_process(plan, options, executed.pid));
      send_message(channel, {.word = Word::kNamed});
      continue;
    }
    if (message.word != Word::kConsole || executed.console.valid())
      return fail(ErrorKind::kInternal, "the process said {} out of turn",
                  static_cast<int>(message.word));
    executed.console = std::move(received);
  }
  if (errno != 0) return fail_errno("cannot hear from the process");
  if (const Failure failure = plan.report.read(); failure.step != Step::kNone)
    return describe_failure(failure, plan);
  return {};
}

Result<void> admit(const Spec& spec, const ExecOptions& options, int channel, ExecPlan& plan,
                   Executed& executed) {
  if (!plan.twice) TRY(name_process(plan, options, executed.pid));
  TRY(grant_oom_score(executed.pid, spec.process));
  if (plan.namespaces & CLONE_NEWUSER) TRY(grant_hard_limits(executed.pid, plan.identity));
  if (spec.linux_.intel_rdt) {
    const IntelRdt& rdt = *spec.linux_.intel_rdt;
    TRY(RdtGroups(rdt, options.id, TRY(find_resctrl())).admit(executed.pid));
  }
  if (!send_message(channel, {.word = Word::kStart}) && errno != EPIPE)
    return fail_errno("cannot reach the process");
  return hear(channel, plan, options, executed);
}

}  // namespace

Result<Executed> exec(const Spec& spec, const ExecOptions& options) {
  TRY(validate(spec));
  TRY(check_streams(options.stdio, options.preserved_fds));
  auto [ours, theirs] = TRY(sys::seqpacket_pair());
  const auto prepared = TRY(prepare(spec, options));
  const bool pids = (prepared->plan.namespaces & CLONE_NEWPID) != 0 && !prepared->plan.twice;
  auto cloned = TRY(clone_out_of_reach({.flags = 0,
                                        .cgroup = prepared->cgroups->clone_directory(),
                                        .pid_namespace = pids ? options.init : -1})
                        .context("cannot start a process in the container"));
  if (cloned.pid == 0) {
    ::close(ours.get());
    run_joiner(prepared->plan, theirs.get());
  }
  Executed executed{.pid = cloned.pid, .pidfd = std::move(cloned.pidfd), .console = {}};
  theirs.reset();
  auto admitted = admit(spec, options, ours.get(), prepared->plan, executed);
  if (admitted.ok()) return executed;
  (void)sys::signal_process(executed.pidfd.get(), SIGKILL);  // it may have ended
  (void)sys::wait_process(executed.pidfd.get());
  return std::move(admitted).error();
}

}  // namespace berth::container
