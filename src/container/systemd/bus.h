// Bus: a conversation with a D-Bus peer over a unix socket: authentication, calls and their
// answers, signals. D-Bus specification, "Authentication Protocol" (SASL, EXTERNAL), "Message Bus
// Messages".
//
//   we                                     systemd, or the bus before it
//   NUL, "AUTH EXTERNAL", --------------->  we are whoever the kernel says we are
//   "DATA", "BEGIN"
//   <----------------- "DATA", "OK <guid>"  messages from here on
//   Hello ------------------------------->  (message bus) has us
//   <--------------------------- its name
//   call --------------------------------->
//   <------------------- signals, at any time
//   <--------------------- return or error
//
// Not thread-safe. Nothing waits beyond the deadline that it is given. After an error of the
// connection (not one that the peer answers) the object is good for nothing but its end.
#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "container/systemd/address.h"
#include "container/systemd/bus_message.h"

namespace berth::container {

using BusDeadline = std::chrono::steady_clock::time_point;

/// What the peer answered: its return, or its error.
struct BusAnswer {
  BusMessage message;
  bool is_error(std::string_view name) const {
    return message.type == BusMessageType::kError && message.error_name == name;
  }
};

class Bus {
 public:
  /// kNotFound: there is no such socket; kConflict: nobody listens; kPermission: not for this user.
  static Result<Bus> connect(const BusAddress& address, BusDeadline deadline);

  bool is_message_bus() const { return message_bus_; }
  /// Sends `call`, whose serial is filled in, and waits for its answer. kInternal: the peer closed
  /// the connection; kExhausted: not in time.
  Result<BusAnswer> call(BusMessage call, BusDeadline deadline);
  /// The next signal, in order of arrival; those that came during calls first. Errors as call().
  Result<BusMessage> next_signal(BusDeadline deadline);

 private:
  Bus(UniqueFd socket, bool message_bus) : socket_(std::move(socket)), message_bus_(message_bus) {}
  Result<void> authenticate(BusDeadline deadline);
  Result<std::string> read_line(BusDeadline deadline);
  Result<void> send(std::string_view bytes, BusDeadline deadline) const;
  Result<void> receive_some(BusDeadline deadline);
  Result<BusMessage> receive(BusDeadline deadline);
  void keep(BusMessage signal);

  UniqueFd socket_;
  bool message_bus_;
  std::uint32_t last_serial_ = 0;
  std::string received_;  // and not yet read
  std::deque<BusMessage> signals_;
};

/// The text that an error brings along, or else its name.
std::string text_of_error(const BusMessage& error);

}  // namespace berth::container
