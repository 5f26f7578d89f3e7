// FakeSystemd: a socket behind which a test plays systemd's part, or that of the bus before it, on
// a thread of its own.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <thread>

#include "base/unique_fd.h"
#include "container/systemd/address.h"
#include "container/systemd/bus_message.h"
#include "container/systemd/bus_writer.h"
#include "sys/temp_dir_testing.h"

namespace berth::container {

/// The other side of one connection.
class FakePeer {
 public:
  explicit FakePeer(UniqueFd socket) : socket_(std::move(socket)) {}

  /// False: nobody is there any more.
  bool send(std::string_view bytes) {
    return ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  /// Until `end` has come; what is behind it is kept.
  std::string read_until(std::string_view end) {
    while (received_.find(end) == std::string::npos && fill()) {
    }
    return take(received_.find(end) + end.size());
  }
  void authenticate() {
    using namespace std::string_view_literals;
    EXPECT_EQ(read_until("BEGIN\r\n"), "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n"sv);
    send("DATA\r\nOK 0123456789abcdef0123456789abcdef\r\n");
  }
  /// The next call; one without a member: the connection has ended.
  BusMessage next_call() {
    while (received_.size() < kBusPrefix)
      if (!fill()) return {};
    const auto length = length_of_message(received_);
    if (!length.ok()) return {};
    while (received_.size() < *length)
      if (!fill()) return {};
    auto call = decode(take(*length));
    EXPECT_TRUE(call.ok());
    return call.ok() ? std::move(*call) : BusMessage();
  }
  /// The next call, which is to be of that method.
  BusMessage expect(std::string_view member) {
    BusMessage call = next_call();
    EXPECT_EQ(call.member, member);
    return call;
  }
  template <typename... Values>
  void answer(const BusMessage& call, const std::string& signature, const Values&... values) {
    send(encode({.type = BusMessageType::kReturn,
                 .serial = ++serial_,
                 .reply_serial = call.serial,
                 .sender = sender,
                 .signature = signature,
                 .body = body_of(values...)}));
  }
  void refuse(const BusMessage& call, const std::string& name, const std::string& text) {
    send(encode({.type = BusMessageType::kError,
                 .serial = ++serial_,
                 .reply_serial = call.serial,
                 .error_name = name,
                 .sender = sender,
                 .signature = "s",
                 .body = body_of(text)}));
  }
  bool tell_job_removed(const std::string& job, const std::string& result) {
    return send(encode({.type = BusMessageType::kSignal,
                        .serial = ++serial_,
                        .path = "/org/freedesktop/systemd1",
                        .interface = "org.freedesktop.systemd1.Manager",
                        .member = "JobRemoved",
                        .sender = sender,
                        .signature = "uoss",
                        .body = body_of(std::uint32_t{7}, job, "x.scope", result)}));
  }

  std::string sender = {};

 private:
  template <typename... Values>
  static std::string body_of(const Values&... values) {
    BusWriter out;
    (out.write(values), ...);
    return out.take();
  }
  bool fill() {
    char buffer[4096];
    const ssize_t count = ::recv(socket_.get(), buffer, sizeof buffer, 0);
    if (count > 0) received_.append(buffer, static_cast<std::size_t>(count));
    return count > 0;
  }
  std::string take(std::size_t count) {
    std::string taken = received_.substr(0, count);
    received_.erase(0, count);
    return taken;
  }

  UniqueFd socket_;
  std::string received_;
  std::uint32_t serial_ = 0;
};

class FakeSystemd {
 public:
  /// `play` is called for one connection; the connection ends with it.
  explicit FakeSystemd(std::function<void(FakePeer&)> play, bool is_message_bus = false)
      : is_message_bus_(is_message_bus) {
    sockaddr_un name = {};
    name.sun_family = AF_UNIX;
    path().copy(name.sun_path, sizeof name.sun_path - 1);
    listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
    EXPECT_EQ(::listen(listener_.get(), 1), 0);
    thread_ = std::jthread([this, play = std::move(play)] {
      FakePeer peer(UniqueFd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
      play(peer);
    });
  }

  BusAddress address() const { return {.path = path(), .is_message_bus = is_message_bus_}; }

 private:
  std::string path() const { return directory_.path() + "/private"; }

  sys::TempDir directory_;
  bool is_message_bus_;
  UniqueFd listener_;
  std::jthread thread_;  // last: it uses the rest
};

}  // namespace berth::container
