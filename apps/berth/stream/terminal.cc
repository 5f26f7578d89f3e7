#include "berth/stream/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <utility>

namespace berth::cli {

bool is_terminal(int fd) {
  return ::isatty(fd) == 1;
}

TerminalSize terminal_size(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) < 0) return {};
  return {size.ws_row, size.ws_col};
}

Result<RawTerminal> RawTerminal::enter(int fd) {
  termios before{};
  if (!is_terminal(fd)) return RawTerminal(-1, before);
  if (::tcgetattr(fd, &before) < 0) return fail_errno("reading the terminal's mode");
  termios raw = before;
  ::cfmakeraw(&raw);
  if (::tcsetattr(fd, TCSADRAIN, &raw) < 0) return fail_errno("setting the terminal to raw mode");
  return RawTerminal(fd, before);
}

RawTerminal::RawTerminal(RawTerminal&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), before_(other.before_) {}

RawTerminal::~RawTerminal() {
  // A terminal that has gone away needs no restoring.
  if (fd_ >= 0) ::tcsetattr(fd_, TCSADRAIN, &before_);
}

}  // namespace berth::cli
