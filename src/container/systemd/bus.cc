#include "container/systemd/bus.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "container/cgroup/ending.h"

namespace berth::container {
namespace {

// Of the lines before the messages: the specification's own bound.
constexpr std::size_t kMaxLine = 16384;
// Signals that came while an answer was waited for. A host that starts hundreds of units at once
// sends as many; the one that counts comes after the answer.
constexpr std::size_t kMaxKeptSignals = 1024;
constexpr std::size_t kReadAtOnce = 4096;

Result<void> wait_for(int socket, short event, BusDeadline deadline) {
  pollfd waited{.fd = socket, .events = event, .revents = 0};
  // Looked at first: who never stops talking is not waited for either.
  while (milliseconds_left(deadline) > 0) {
    const int result = ::poll(&waited, 1, milliseconds_left(deadline));
    if (result > 0) return {};
    if (result < 0 && errno != EINTR) return fail_errno("cannot wait for systemd");
  }
  return fail(ErrorKind::kExhausted, "systemd has not answered in time");
}

Result<UniqueFd> open_socket(const BusAddress& address, BusDeadline deadline) {
  const std::string shown = (address.abstract ? "@" : "") + address.path;
  sockaddr_un name = {};
  name.sun_family = AF_UNIX;
  const std::size_t before = address.abstract ? 1 : 0;
  if (address.path.size() + 1 > sizeof name.sun_path)
    return fail(ErrorKind::kInvalid, "the socket's path is too long: {}", shown);
  std::memcpy(name.sun_path + before, address.path.data(), address.path.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + before +
                                             address.path.size() + (address.abstract ? 0 : 1));
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return fail_errno("cannot make a socket");
  // A listener whose queue is full lets connect(2) wait: for so long and no longer.
  const int left = milliseconds_left(deadline);
  const timeval patience{.tv_sec = left / 1000, .tv_usec = (left % 1000) * 1000L + 1};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&name), length) != 0)
    return fail_errno("cannot connect to {}", shown);
  return socket;
}

}  // namespace

Result<Bus> Bus::connect(const BusAddress& address, BusDeadline deadline) {
  Bus bus(TRY(open_socket(address, deadline)), address.is_message_bus);
  TRY(bus.authenticate(deadline).context(address.path));
  if (!address.is_message_bus) return bus;
  const BusMessage hello{.path = "/org/freedesktop/DBus",
                         .interface = "org.freedesktop.DBus",
                         .member = "Hello",
                         .destination = "org.freedesktop.DBus"};
  const BusAnswer answer = TRY(bus.call(hello, deadline).context(address.path));
  if (answer.message.type == BusMessageType::kError)
    return fail(ErrorKind::kPermission, "the message bus at {} refuses: {}", address.path,
                text_of_error(answer.message));
  return bus;
}

// No name is sent: in a user namespace our own is not what the peer knows us by. All at once, as
// systemd's own clients do: what comes in one piece behind a BEGIN, systemd leaves lying until more
// comes, so the first message has to wait until it is known that the BEGIN has been read.
Result<void> Bus::authenticate(BusDeadline deadline) {
  using namespace std::string_view_literals;
  TRY(send("\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n"sv, deadline));
  std::string line = TRY(read_line(deadline));
  if (line == "DATA") line = TRY(read_line(deadline));
  if (line.starts_with("OK ")) return {};
  return fail(ErrorKind::kPermission, "systemd does not let this user in: it said '{}'", line);
}

Result<std::string> Bus::read_line(BusDeadline deadline) {
  for (;;) {
    if (const auto end = received_.find("\r\n"); end != std::string::npos) {
      std::string line = received_.substr(0, end);
      received_.erase(0, end + 2);
      return line;
    }
    if (received_.size() > kMaxLine)
      return fail(ErrorKind::kCorrupt, "what answers does not speak D-Bus");
    TRY(receive_some(deadline));
  }
}

Result<void> Bus::send(std::string_view bytes, BusDeadline deadline) const {
  while (!bytes.empty()) {
    const ssize_t sent =
        ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      TRY(wait_for(socket_.get(), POLLOUT, deadline));
    } else if (errno == EPIPE || errno == ECONNRESET) {
      return fail(ErrorKind::kInternal, "systemd has closed the connection");
    } else if (errno != EINTR) {
      return fail_errno("cannot send to systemd");
    }
  }
  return {};
}

Result<void> Bus::receive_some(BusDeadline deadline) {
  char buffer[kReadAtOnce];
  for (;;) {
    TRY(wait_for(socket_.get(), POLLIN, deadline));
    const ssize_t count = ::recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (count > 0) {
      received_.append(buffer, static_cast<std::size_t>(count));
      return {};
    }
    if (count == 0 || errno == ECONNRESET)
      return fail(ErrorKind::kInternal, "systemd has closed the connection");
    if (errno != EAGAIN && errno != EINTR) return fail_errno("cannot hear from systemd");
  }
}

Result<BusMessage> Bus::receive(BusDeadline deadline) {
  while (received_.size() < kBusPrefix) TRY(receive_some(deadline));
  const std::size_t length = TRY(length_of_message(received_));
  while (received_.size() < length) TRY(receive_some(deadline));
  auto message = decode(std::string_view(received_).substr(0, length));
  received_.erase(0, length);
  return message;
}

void Bus::keep(BusMessage signal) {
  if (signals_.size() == kMaxKeptSignals) signals_.pop_front();
  signals_.push_back(std::move(signal));
}

Result<BusAnswer> Bus::call(BusMessage call, BusDeadline deadline) {
  call.serial = ++last_serial_;
  TRY(send(encode(call), deadline));
  for (;;) {
    BusMessage message = TRY(receive(deadline));
    if (message.type == BusMessageType::kSignal) {
      keep(std::move(message));
      continue;
    }
    // A peer may also call us. Nobody here answers, and nothing waits for it.
    const bool answers =
        message.type == BusMessageType::kReturn || message.type == BusMessageType::kError;
    if (answers && message.reply_serial == call.serial) return BusAnswer{std::move(message)};
  }
}

Result<BusMessage> Bus::next_signal(BusDeadline deadline) {
  if (!signals_.empty()) {
    BusMessage first = std::move(signals_.front());
    signals_.pop_front();
    return first;
  }
  for (;;) {
    BusMessage message = TRY(receive(deadline));
    if (message.type == BusMessageType::kSignal) return message;
  }
}

std::string text_of_error(const BusMessage& error) {
  if (error.signature.starts_with('s')) {
    BusReader reader = error.reader();
    if (auto text = reader.read_string(); text.ok() && !text->empty()) return std::move(*text);
  }
  return error.error_name;
}

}  // namespace berth::container
