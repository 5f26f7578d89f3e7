#include <unistd.h>

#include "berth-runtime/ps.h"
#include "sys/process.h"

namespace berth::runtime {

void exec_ps(char* const* argv, int output) {
  sys::reset_signals();
  if (::dup2(output, STDOUT_FILENO) >= 0 && ::dup2(output, STDERR_FILENO) >= 0)
    ::execvp(argv[0], argv);
  ::_exit(kNoPs);
}

}  // namespace berth::runtime
