#include "sys/pty.h"

#include <fcntl.h>
#include <sys/ioctl.h>

namespace berth::sys {

Result<void> set_window_size(int terminal, WindowSize size) {
  winsize value{};
  value.ws_row = size.rows;
  value.ws_col = size.columns;
  if (::ioctl(terminal, TIOCSWINSZ, &value) != 0)
    return fail_errno("set the terminal's size to {}x{}", size.rows, size.columns);
  return {};
}

Result<WindowSize> window_size(int terminal) {
  winsize value{};
  if (::ioctl(terminal, TIOCGWINSZ, &value) != 0) return fail_errno("get the terminal's size");
  return WindowSize{.rows = value.ws_row, .columns = value.ws_col};
}

Result<Pty> open_pty() {
  UniqueFd master(::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!master.valid()) return fail_errno("open /dev/ptmx");
  int unlock = 0;
  if (::ioctl(master.get(), TIOCSPTLCK, &unlock) != 0) return fail_errno("unlock the terminal");
  UniqueFd slave(::ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!slave.valid()) return fail_errno("open the terminal's other end");
  return Pty{.master = std::move(master), .slave = std::move(slave)};
}

}  // namespace berth::sys
