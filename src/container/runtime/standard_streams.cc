#include "container/runtime/standard_streams.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

namespace berth::container {

void open_missing_standard_streams() {
  for (int fd = 0; fd < 3; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free number, which is `fd`; without close-on-exec, as any stream.
    if (::open("/dev/null", O_RDWR | O_NOCTTY) != fd) ::_exit(1);
  }
}

}  // namespace berth::container
