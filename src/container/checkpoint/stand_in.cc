#include "container/checkpoint/stand_in.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "sys/process.h"

namespace berth::container {
namespace {

// Whoever started it may have ended before the signal was asked for: its parent is another then.
[[noreturn]] void wait_for_the_end(pid_t starter) {
  sys::reset_signals();
  ::close_range(0, ~0U, 0);
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0)
    while (::getppid() == starter) ::pause();
  ::_exit(0);
}

}  // namespace

Result<StandIn> StandIn::start() {
  const pid_t starter = ::getpid();
  auto cloned = TRY(sys::clone_process({}));
  if (cloned.pid == 0) wait_for_the_end(starter);
  return StandIn(cloned.pid, std::move(cloned.pidfd));
}

StandIn::~StandIn() {
  if (!pidfd_.valid()) return;
  (void)sys::signal_process(pidfd_.get(), SIGKILL);
  (void)sys::wait_process(pidfd_.get());
}

}  // namespace berth::container
