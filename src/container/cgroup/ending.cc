#include "container/cgroup/ending.h"

#include <errno.h>
#include <poll.h>

#include <algorithm>

namespace berth::container {

int milliseconds_left(Deadline deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0));
}

Result<void> wait_until_ended(int pidfd, Deadline deadline) {
  pollfd ended{.fd = pidfd, .events = POLLIN, .revents = 0};
  for (;;) {
    const int result = ::poll(&ended, 1, milliseconds_left(deadline));
    if (result > 0) return {};
    if (result < 0 && errno != EINTR) return fail_errno("cannot wait for a process");
    if (result == 0 && milliseconds_left(deadline) == 0)
      return fail(ErrorKind::kConflict,
                  "a process was killed and has not ended within {} s: it is stuck in the kernel "
                  "(state D in ps); try again when what it waits for is back",
                  kKillDeadline.count());
  }
}

}  // namespace berth::container
