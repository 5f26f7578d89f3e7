// Pseudo-terminals: pty(7), ioctl_tty(2).
#pragma once

#include <cstdint>

#include "base/result.h"
#include "base/unique_fd.h"

namespace berth::sys {

struct WindowSize {
  std::uint16_t rows = 0;
  std::uint16_t columns = 0;

  friend bool operator==(const WindowSize&, const WindowSize&) = default;
};

/// Through either end of a terminal; its foreground process group gets SIGWINCH if it changes.
Result<void> set_window_size(int terminal, WindowSize size);
Result<WindowSize> window_size(int terminal);

struct Pty {
  UniqueFd master;
  UniqueFd slave;  // becomes nobody's controlling terminal by being opened
};

/// A new pair from the caller's own devpts.
Result<Pty> open_pty();

}  // namespace berth::sys
