// Connection: one client's stream socket on the event loop. Bytes are looked at first and taken
// only when it is known that they belong to the request at hand, so that at any moment everything
// the client sent later is still in the kernel: a socket that is released carries on exactly where
// the request ended. Belongs to the event-loop thread. Kept by shared_ptr: timers and watches hold
// it weakly.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace berth::http {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Deadline = std::optional<std::chrono::milliseconds>;  // empty: none

  /// Takes over a connected socket.
  static Result<std::shared_ptr<Connection>> open(UniqueFd socket,
                                                  const boost::asio::any_io_executor& loop);

  /// Waits for bytes and copies them without taking them; 0 means that the client sends no more. An
  /// error whose os_errno is ETIMEDOUT: nothing came within `deadline`.
  boost::asio::awaitable<Result<std::size_t>> peek(std::span<char> into, Deadline deadline);
  /// Takes `count` bytes that a peek has shown.
  Result<void> consume(std::size_t count);
  /// Waits for bytes and takes them; 0 means that the client sends no more.
  boost::asio::awaitable<Result<std::size_t>> read(std::span<char> into, Deadline deadline);
  /// Writes all of `bytes`. ETIMEDOUT: the client took nothing for as long as `deadline`.
  boost::asio::awaitable<Result<void>> write(std::string_view bytes, Deadline deadline);

  /// For a handler with much to do: lets the event loop serve others first. ECONNRESET: the client
  /// has hung up meanwhile.
  boost::asio::awaitable<Result<void>> give_way();

  /// Calls `gone` once when the client closes its end (or abort() is called) while nobody reads. A
  /// client that sends its next request ahead is not gone. unwatch() before reading again; no call
  /// comes after it.
  void watch(std::function<void()> gone);
  void unwatch();

  /// Ends what waits for the client right now with ECANCELED; the connection stays good.
  void interrupt() { socket_.cancel(); }
  /// Cuts the connection: everything under way on it ends with an error.
  void abort();
  /// Says goodbye: sends what is queued, and gives the client a moment to read it before the socket
  /// is closed.
  boost::asio::awaitable<void> finish();

  /// Gives the socket up; nothing may be under way. Invalid after abort().
  UniqueFd release();

 private:
  explicit Connection(const boost::asio::any_io_executor& loop) : socket_(loop), timer_(loop) {}
  using WaitType = boost::asio::posix::stream_descriptor::wait_type;
  boost::asio::awaitable<Result<void>> wait(WaitType type, Deadline deadline);
  boost::asio::awaitable<Result<std::size_t>> receive(std::span<char> into, int flags,
                                                      Deadline deadline);
  void watch_for(WaitType type);
  void tell_gone();

  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer timer_;
  std::uint64_t timer_serial_ = 0;
  bool timed_out_ = false;
  bool aborted_ = false;
  std::uint64_t watch_serial_ = 0;
  std::function<void()> gone_;
};

}  // namespace berth::http
