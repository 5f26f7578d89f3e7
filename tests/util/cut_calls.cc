// cut_calls AT POWER REPORT PROGRAM [ARGUMENT...]: runs a program that ends at the AT-th of the
// system calls by which it, its threads and its children would change a file system: all of its
// threads are killed before that call is done. AT 0: it runs to its end. POWER, unless 0, is a
// process that gets SIGUSR1 just before the kill. How many calls there were is written to the file
// REPORT. SIGTERM is passed on.
//
// A seccomp filter lets each such call stop for this process, which traces them all. Sources: man 2
// ptrace, "PTRACE_EVENT_SECCOMP"; man 2 seccomp.
#include <fcntl.h>
#include <linux/openat2.h>
#include <seccomp.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <string_view>

namespace {

constexpr int kChanging[] = {
    SCMP_SYS(write),        SCMP_SYS(pwrite64),  SCMP_SYS(writev),    SCMP_SYS(pwritev),
    SCMP_SYS(pwritev2),     SCMP_SYS(sendfile),  SCMP_SYS(splice),    SCMP_SYS(copy_file_range),
    SCMP_SYS(fallocate),    SCMP_SYS(ftruncate), SCMP_SYS(truncate),  SCMP_SYS(rename),
    SCMP_SYS(renameat),     SCMP_SYS(renameat2), SCMP_SYS(link),      SCMP_SYS(linkat),
    SCMP_SYS(unlink),       SCMP_SYS(unlinkat),  SCMP_SYS(rmdir),     SCMP_SYS(mkdir),
    SCMP_SYS(mkdirat),      SCMP_SYS(mknod),     SCMP_SYS(mknodat),   SCMP_SYS(symlink),
    SCMP_SYS(symlinkat),    SCMP_SYS(fsync),     SCMP_SYS(fdatasync), SCMP_SYS(syncfs),
    SCMP_SYS(setxattr),     SCMP_SYS(lsetxattr), SCMP_SYS(fsetxattr), SCMP_SYS(removexattr),
    SCMP_SYS(fremovexattr), SCMP_SYS(chmod),     SCMP_SYS(fchmod),    SCMP_SYS(fchmodat),
    SCMP_SYS(chown),        SCMP_SYS(lchown),    SCMP_SYS(fchown),    SCMP_SYS(fchownat),
    SCMP_SYS(utimensat),    SCMP_SYS(mount),     SCMP_SYS(umount2),   SCMP_SYS(move_mount),
    SCMP_SYS(openat2),
};
/// Of these only what goes to a file counts: the first argument is a descriptor.
constexpr int kWriting[] = {SCMP_SYS(write), SCMP_SYS(pwrite64), SCMP_SYS(writev),
                            SCMP_SYS(pwritev), SCMP_SYS(pwritev2)};

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(125);
}

void install_filter() {
  const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  if (filter == nullptr) give_up("seccomp_init");
  int failed = 0;
  for (const int call : kChanging) failed |= seccomp_rule_add(filter, SCMP_ACT_TRACE(0), call, 0);
  const scmp_arg_cmp creates = SCMP_A2(SCMP_CMP_MASKED_EQ, O_CREAT, O_CREAT);
  failed |= seccomp_rule_add(filter, SCMP_ACT_TRACE(0), SCMP_SYS(openat), 1, creates);
  const scmp_arg_cmp opens = SCMP_A1(SCMP_CMP_MASKED_EQ, O_CREAT, O_CREAT);
  failed |= seccomp_rule_add(filter, SCMP_ACT_TRACE(0), SCMP_SYS(open), 1, opens);
  if (failed != 0 || seccomp_load(filter) != 0) give_up("seccomp");
}

[[noreturn]] void run(char** arguments) {
  if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) give_up("ptrace");
  (void)::raise(SIGSTOP);  // until the options are set
  install_filter();
  ::execvp(arguments[0], arguments);
  give_up(arguments[0]);
}

bool is_file(pid_t thread, std::uint64_t fd) {
  char path[4096];
  const std::string link = "/proc/" + std::to_string(thread) + "/fd/" + std::to_string(fd);
  const ssize_t size = ::readlink(link.c_str(), path, sizeof path);
  const std::string_view shown(path, size > 0 ? static_cast<std::size_t>(size) : 0);
  return shown.starts_with('/') && !shown.starts_with("/dev/") && !shown.starts_with("/proc/");
}

/// Whether the call at which the thread has stopped changes a file system.
bool changes_files(pid_t thread) {
  __ptrace_syscall_info info{};
  if (::ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info) <= 0) return false;
  const auto call = static_cast<int>(info.seccomp.nr);
  if (std::ranges::find(kWriting, call) != std::ranges::end(kWriting))
    return is_file(thread, info.seccomp.args[0]);
  if (call != SCMP_SYS(openat2)) return true;
  errno = 0;
  const auto at = info.seccomp.args[2] + offsetof(open_how, flags);
  const long flags = ::ptrace(PTRACE_PEEKDATA, thread, at, nullptr);
  return errno == 0 && (flags & O_CREAT) != 0;
}

volatile pid_t traced = 0;

/// Who ends this process in peace means the program.
void pass_on(int signal) {
  ::kill(traced, signal);
}

class Tracer {
 public:
  Tracer(pid_t leader, long at, pid_t power) : leader_(leader), at_(at), power_(power) {}

  /// Until the program has ended; what it ended with, as wait() has it.
  int run() {
    for (;;) {
      int status = 0;
      const pid_t thread = ::waitpid(-1, &status, __WALL);
      if (thread < 0 && errno == EINTR) continue;
      if (thread < 0) return 0;  // MUST not be: the leader is waited for
      if (!WIFSTOPPED(status)) {
        if (thread == leader_) return status;
        continue;
      }
      resume(thread, status);
    }
  }

  long count() const { return count_; }

 private:
  void resume(pid_t thread, int status) {
    int signal = 0;
    if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8)) {
      if (changes_files(thread) && ++count_ == at_) return cut();
    } else if (status >> 16 == 0) {
      signal = WSTOPSIG(status);
      // The first stop of a new thread.
      if (signal == SIGSTOP && known_.insert(thread).second) signal = 0;
    }
    ::ptrace(PTRACE_CONT, thread, nullptr, signal);
  }

  void cut() {
    if (power_ > 0) ::kill(power_, SIGUSR1);
    ::kill(leader_, SIGKILL);
  }

  const pid_t leader_;
  const long at_;
  const pid_t power_;
  long count_ = 0;
  std::set<pid_t> known_;
};

}  // namespace

int main(int count, char** arguments) {
  if (count < 5) {
    std::fprintf(stderr, "use: cut_calls AT POWER REPORT PROGRAM [ARGUMENT...]\n");
    return 125;
  }
  const pid_t child = ::fork();
  if (child < 0) give_up("fork");
  if (child == 0) run(arguments + 4);
  int status = 0;
  if (::waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) give_up("wait");
  if (::ptrace(PTRACE_SETOPTIONS, child, nullptr,
               PTRACE_O_EXITKILL | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE |
                   PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC) != 0)
    give_up("ptrace");
  ::ptrace(PTRACE_CONT, child, nullptr, 0);
  traced = child;
  (void)::signal(SIGTERM, pass_on);
  Tracer tracer(child, std::strtol(arguments[1], nullptr, 10),
                static_cast<pid_t>(std::strtol(arguments[2], nullptr, 10)));
  status = tracer.run();
  std::ofstream(arguments[3]) << tracer.count() << "\n";
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
