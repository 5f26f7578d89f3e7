// The user's terminal: its size, and raw mode that is undone at every way out.
#pragma once

#include <termios.h>

#include <cstdint>

#include "base/result.h"

namespace berth::cli {

struct TerminalSize {
  std::uint16_t rows = 0;
  std::uint16_t columns = 0;
};

bool is_terminal(int fd);

/// The size of the terminal behind `fd`; zeros if there is none. tty_ioctl(4).
TerminalSize terminal_size(int fd);

/// While it lives, the terminal hands every key on as it is typed and echoes nothing. termios(3),
/// "Raw mode".
class RawTerminal {
 public:
  /// `fd` is borrowed and must stay open while the object lives. Does nothing if it is no terminal.
  static Result<RawTerminal> enter(int fd);

  RawTerminal(RawTerminal&& other) noexcept;
  RawTerminal& operator=(RawTerminal&& other) = delete;
  ~RawTerminal();

 private:
  RawTerminal(int fd, const termios& before) : fd_(fd), before_(before) {}

  int fd_;
  termios before_;
};

}  // namespace berth::cli
