#include "sys/process.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

extern "C" {
#include <sys/pidfd.h>  // glibc 2.36 forgot to say so itself
}

namespace berth::sys {
namespace {

constexpr int kSignals = 65;  // the kernel's _NSIG, and one

// Where this thread's children are born.
Result<void> give_birth_in(int pid_namespace) {
  if (::setns(pid_namespace, CLONE_NEWPID) == 0) return {};
  return fail_errno("cannot join the pid namespace");
}

}  // namespace

Result<CloneResult> clone_process(const CloneRequest& request) {
  UniqueFd own;
  if (request.pid_namespace >= 0) {
    own.reset(::open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC));
    if (!own.valid()) return fail_errno("cannot open the own pid namespace");
    TRY(give_birth_in(request.pid_namespace));
  }
  clone_args args = {};
  int pidfd = -1;
  args.flags = request.flags | CLONE_PIDFD;
  args.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  if (request.cgroup >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<std::uint64_t>(request.cgroup);
  }
  const long pid = ::syscall(SYS_clone3, &args, sizeof args);
  const int error = errno;
  if (pid == 0) return CloneResult{};
  CloneResult result{static_cast<pid_t>(pid), UniqueFd(pid > 0 ? pidfd : -1)};
  if (own.valid()) TRY(give_birth_in(own.get()));
  if (pid < 0)
    return Error::from_errno(error, fmt::format("clone3 with flags {:#x}", request.flags));
  return result;
}

void reset_signals() {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // The kernel's own structure, all zero: SIG_DFL. libc's call refuses the signals it uses itself,
  // which can be ignored all the same.
  const std::array<std::uint64_t, 4> standard = {};
  for (int signal = 1; signal < kSignals; ++signal)
    ::syscall(SYS_rt_sigaction, signal, standard.data(), nullptr, sizeof(std::uint64_t));
}

Result<UniqueFd> open_pidfd(pid_t pid) {
  const int fd = ::pidfd_open(pid, 0);
  if (fd < 0) return fail_errno("cannot open process {}", pid);
  return UniqueFd(fd);
}

Result<void> signal_process(int pidfd, int signal) {
  if (::pidfd_send_signal(pidfd, signal, nullptr, 0) == 0) return {};
  if (errno == ESRCH) return fail(ErrorKind::kNotFound, "the process has ended");
  return fail_errno("cannot send signal {}", signal);
}

bool has_ended(int pidfd) {
  pollfd ended{.fd = pidfd, .events = POLLIN, .revents = 0};
  return ::poll(&ended, 1, 0) > 0;
}

Result<ExitStatus> wait_process(int pidfd) {
  siginfo_t info = {};
  int result = 0;
  do {
    result = ::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd), &info, WEXITED);
  } while (result != 0 && errno == EINTR);
  if (result != 0) return fail_errno("cannot wait for the process");
  if (info.si_code == CLD_EXITED) return ExitStatus{.code = info.si_status, .signal = 0};
  return ExitStatus{.code = 0, .signal = info.si_status};
}

}  // namespace berth::sys
