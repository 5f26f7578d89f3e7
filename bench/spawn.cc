// bench_spawn: what the benches need done by a process that is smaller than Python.
//   floor PROGRAM ARGUMENT...  clone3 into a container's five namespaces, exec, wait: with less no
//                              runtime can do
//   peak PROGRAM ARGUMENT...   runs the program with its output thrown away, and prints its peak of
//                              resident memory in KiB. getrusage(2) counts what was resident before
//                              the exec too, so that the one who forks must be small.
// Ends with the exit code of the program.
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>

namespace {

constexpr int kFailure = 125;  // ours, not the program's

constexpr std::uint64_t kContainer =
    CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET;

pid_t clone_into(std::uint64_t namespaces) {
  clone_args arguments = {};
  arguments.flags = namespaces;
  arguments.exit_signal = SIGCHLD;
  return static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
}

void throw_output_away() {
  const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  ::dup2(null, STDOUT_FILENO);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: bench_spawn floor|peak PROGRAM ARGUMENT...\n", stderr);
    return kFailure;
  }
  const bool floor = std::strcmp(argv[1], "floor") == 0;
  const pid_t pid = clone_into(floor ? kContainer : 0);
  if (pid == 0) {
    if (!floor) throw_output_away();
    ::execv(argv[2], argv + 2);
    std::perror(argv[2]);
    ::_exit(kFailure);
  }
  int status = 0;
  rusage usage = {};
  if (pid < 0 || ::wait4(pid, &status, 0, &usage) != pid) {
    std::perror("bench_spawn");
    return kFailure;
  }
  if (!floor) std::printf("%ld\n", usage.ru_maxrss);
  return WIFEXITED(status) ? WEXITSTATUS(status) : kFailure;
}
