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

namespace berth::container {
namespace {

constexpr int kCannotRun = 127;

// The hook's own process, up to its exec.
[[noreturn]] void become_hook(const ChildHook& hook, int state) {
  if (::lseek(state, 0, SEEK_SET) == 0 && ::dup2(state, STDIN_FILENO) >= 0)
    ::execve(hook.path.c_str(), hook.argv.data(), hook.envp.data());
  ::_exit(kCannotRun);
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
int run(const ChildHook& hook, int state) {
  if (::access(hook.path.c_str(), X_OK) != 0) return errno;
  clone_args args = {};
  int pidfd = -1;
  args.flags = CLONE_PIDFD;
  args.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  const long pid = ::syscall(SYS_clone3, &args, sizeof args);
  if (pid < 0) return errno;
  if (pid == 0) become_hook(hook, state);
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
  for (std::size_t i = 0; i < hooks.size(); ++i)
    if (const int error = run(*hooks[i], state); error != 0)
      return child.fail_with(error, Step::kHook, i);
  return true;
}

}  // namespace berth::container
