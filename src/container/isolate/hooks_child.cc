#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {
#include <sys/pidfd.h>  // glibc 2.36 forgot to say so itself
}

#include "container/isolate/hooks.h"
#include "sys/process.h"

namespace berth::container {
namespace {

constexpr int kCannotRun = 127;

// The streams and signals a program expects.
bool prepare_hook(int state) {
  sys::reset_signals();
  return ::lseek(state, 0, SEEK_SET) == 0 && ::dup2(state, STDIN_FILENO) >= 0;
}

// How a hook's own process goes on, up to its exec.
struct Become {
  void (*exec)(const ChildHook& hook, const Become& how);  // returns on failure
  const IdentityPlan* identity = nullptr;
  const ExecutePlan* execute = nullptr;
};

void exec_plainly(const ChildHook& hook, const Become&) {
  ::execve(hook.path.c_str(), hook.argv.data(), hook.envp.data());
}

void exec_confined(const ChildHook& hook, const Become& how) {
  Child child;
  if (enter_confinement(child, *how.identity, *how.execute, true))
    execute_program(hook.program, hook.envp.data(), how.execute->may_execveat);
}

// Waits until the hook has ended or its time is up.
bool has_ended(int pidfd, int timeout_ms) {
  pollfd ended{.fd = pidfd, .events = POLLIN, .revents = 0};
  int result = 0;
  do {
    result = ::poll(&ended, 1, timeout_ms);
  } while (result < 0 && errno == EINTR);
  return result > 0;
}

// 0, or the failure: errno, or the negative exit status (128 + n for a signal).
int run(const ChildHook& hook, int state, const Become& how) {
  clone_args args = {};
  int pidfd = -1;
  args.flags = CLONE_PIDFD;
  args.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  const long pid = ::syscall(SYS_clone3, &args, sizeof args);
  if (pid < 0) return errno;
  if (pid == 0) {
    if (prepare_hook(state)) how.exec(hook, how);
    ::_exit(kCannotRun);
  }
  const bool in_time = has_ended(pidfd, hook.timeout_ms);
  if (!in_time) ::pidfd_send_signal(pidfd, SIGKILL, nullptr, 0);
  siginfo_t info = {};
  while (::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd), &info, WEXITED) != 0 &&
         errno == EINTR) {
  }
  ::close(pidfd);
  if (!in_time) return ETIMEDOUT;
  if (info.si_code == CLD_EXITED) return -info.si_status;
  return -(128 + info.si_status);
}

}  // namespace

bool enter_hooks(Child& child, const std::vector<std::unique_ptr<ChildHook>>& hooks, int state) {
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    if (::access(hooks[i]->path.c_str(), X_OK) != 0) return child.fail(Step::kHook, i);
    if (const int error = run(*hooks[i], state, {.exec = exec_plainly}); error != 0)
      return child.fail_with(error, Step::kHook, i);
  }
  return true;
}

bool enter_start_hooks(Child& child, const HooksPlan& plan, const IdentityPlan& identity,
                       const ExecutePlan& execute) {
  const Become how{.exec = exec_confined, .identity = &identity, .execute = &execute};
  for (std::size_t i = 0; i < plan.start_container.size(); ++i) {
    ChildHook& hook = *plan.start_container[i];
    const int found = find_program_file(hook.path.c_str(), execute.own, hook.program);
    if (found == EPERM) return child.fail_with(EPERM, Step::kHookOwnProgram, i);
    const int error = found != 0 ? found : run(hook, plan.start_state.get(), how);
    if (error != 0) return child.fail_with(error, Step::kHook, i);
  }
  return true;
}

}  // namespace berth::container
