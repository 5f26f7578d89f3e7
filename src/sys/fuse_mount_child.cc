#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <unistd.h>

#include "sys/fuse_mount.h"
#include "sys/process.h"

namespace berth::sys {
namespace {

bool become(const FuseProgram& program) {
  // A session of its own: signals of a terminal are not for it.
  if (::setsid() < 0) return false;
  reset_signals();
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null < 0 || ::dup2(null, STDIN_FILENO) < 0) return false;
  for (const int stream : {STDOUT_FILENO, STDERR_FILENO})
    if (::dup2(program.said, stream) < 0) return false;
  // What some library opened must not live on for a container's life.
  if (::dup2(program.connection, kFuseConnection) < 0 || ::chdir("/") != 0 ||
      ::close_range(kFuseConnection + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
    return false;
  char* const environment[] = {nullptr};
  ::execve(program.path, program.argv, environment);
  return false;
}

}  // namespace

void start_fuse_program(const FuseProgram& program) {
  const pid_t child = ::_Fork();
  if (child > 0) ::_exit(0);
  if (child < 0 || !become(program)) {
    const int error = errno;
    (void)!::write(program.failed, &error, sizeof error);
  }
  ::_exit(1);
}

}  // namespace berth::sys
