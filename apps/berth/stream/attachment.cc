#include "berth/stream/attachment.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace berth::cli {
namespace {

constexpr std::size_t kPieceBytes = 32U << 10;

}  // namespace

Result<void> write_all(int fd, std::span<const char> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      // Someone who shares the terminal made it non-blocking.
      pollfd ready{fd, POLLOUT, 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return fail_errno("writing to standard {}", fd == STDERR_FILENO ? "error" : "output");
    }
  }
  return {};
}

Result<Attachment> Attachment::open(HttpConnection connection, const Options& options) {
  DetachKeys keys = TRY(DetachKeys::parse(options.detach_keys));
  RawTerminal terminal = TRY(RawTerminal::enter(options.tty && options.input ? STDIN_FILENO : -1));
  return Attachment(std::move(connection).take(), std::move(keys), std::move(terminal), options);
}

Result<void> Attachment::write_out(std::span<const char> bytes) {
  if (tty_) return write_all(STDOUT_FILENO, bytes);
  return demultiplexer_.feed(bytes, [](OutputStream stream, std::span<const char> piece) {
    return write_all(stream == OutputStream::kStdout ? STDOUT_FILENO : STDERR_FILENO, piece);
  });
}

// False at the end of the stream.
Result<bool> Attachment::receive() {
  std::array<char, kPieceBytes> piece;
  const ssize_t got = ::recv(socket_.get(), piece.data(), piece.size(), MSG_DONTWAIT);
  if (got > 0) {
    TRY(write_out(std::span(piece).first(static_cast<std::size_t>(got))));
    return true;
  }
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  // A reset is how some engines hang up on input that nobody read.
  if (got == 0 || errno == ECONNRESET) return false;
  return fail_errno("reading the workload's output");
}

// True once the user has typed the detach keys.
Result<bool> Attachment::read_input() {
  std::array<char, kPieceBytes> piece;
  const ssize_t got = ::read(STDIN_FILENO, piece.data(), piece.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (got <= 0) {
    reading_ = false;
    return false;
  }
  const auto bytes = std::span(piece).first(static_cast<std::size_t>(got));
  if (tty_) return keys_.feed(bytes, unsent_);
  unsent_.append(bytes.data(), bytes.size());
  return false;
}

Result<void> Attachment::send_input() {
  const ssize_t sent =
      ::send(socket_.get(), unsent_.data(), unsent_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0) {
    unsent_.erase(0, static_cast<std::size_t>(sent));
    return {};
  }
  if (errno == EAGAIN || errno == EINTR) return {};
  if (errno != EPIPE && errno != ECONNRESET) return fail_errno("sending input to the workload");
  // It reads no more; what it still says is worth hearing.
  unsent_.clear();
  reading_ = false;
  half_closed_ = true;
  return {};
}

Result<AttachmentEnd> Attachment::run(SignalQueue* signals,
                                      const std::function<bool(int)>& on_signal) {
  TRY(write_out(received_));
  received_.clear();
  for (;;) {
    if (!reading_ && unsent_.empty() && !half_closed_) {
      ::shutdown(socket_.get(), SHUT_WR);
      half_closed_ = true;
    }
    std::array<pollfd, 3> events = {{
        {socket_.get(), static_cast<short>(unsent_.empty() ? POLLIN : POLLIN | POLLOUT), 0},
        {reading_ && unsent_.empty() ? STDIN_FILENO : -1, POLLIN, 0},
        {signals ? signals->fd() : -1, POLLIN, 0},
    }};
    if (::poll(events.data(), events.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return fail_errno("poll");
    }
    if (events[2].revents != 0)
      while (const auto signal = signals->take())
        if (!on_signal(*signal)) return AttachmentEnd::kStopped;
    if ((events[0].revents & POLLOUT) != 0) TRY(send_input());
    if ((events[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !TRY(receive()))
      return AttachmentEnd::kClosed;
    if (events[1].revents != 0 && TRY(read_input())) return AttachmentEnd::kDetached;
  }
}

}  // namespace berth::cli
