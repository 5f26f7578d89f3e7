#include <errno.h>
#include <unistd.h>

#include "container/isolate/mapped_mounts.h"

namespace berth::container {

void hold_user_namespace(int channel) {
  char nothing;
  while (::read(channel, &nothing, 1) < 0 && errno == EINTR) {
  }
  ::_exit(0);
}

}  // namespace berth::container
