#include "sys/inotify.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace berth::sys {

Result<UniqueFd> watch_file(const std::string& path) {
  UniqueFd watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!watch.valid()) return fail_errno("inotify_init1");
  if (::inotify_add_watch(watch.get(), path.c_str(), IN_MODIFY) < 0)
    return fail_errno("watch {}", path);
  return watch;
}

Result<void> drain_file_watch(int watch) {
  alignas(inotify_event) std::array<char, 4096> events{};
  for (;;) {
    const ssize_t n = ::read(watch, events.data(), events.size());
    if (n > 0 || (n < 0 && errno == EINTR)) continue;
    if (n < 0 && errno == EAGAIN) return {};
    if (n == 0) return {};
    return fail_errno("read a file watch");
  }
}

}  // namespace berth::sys
