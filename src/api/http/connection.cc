#include "api/http/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace berth::http {
namespace {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;

// How long a client may take to read the last answer, and how much unread input is thrown away
// meanwhile: closing a socket with unread input would destroy the answer on its way.
constexpr std::chrono::milliseconds kGoodbye{1000};
constexpr std::size_t kGoodbyeBytes = 16U << 20;

}  // namespace

Result<std::shared_ptr<Connection>> Connection::open(UniqueFd socket,
                                                     const asio::any_io_executor& loop) {
  std::shared_ptr<Connection> connection(new Connection(loop));
  boost::system::error_code error;
  connection->socket_.assign(socket.get(), error);
  if (error) return Error::from_errno(error.value(), "watch a client's socket");
  static_cast<void>(socket.release());  // the descriptor object owns it now
  return connection;
}

asio::awaitable<Result<void>> Connection::wait(WaitType type, Deadline deadline) {
  if (aborted_) co_return Error::from_errno(ECONNABORTED, "wait for the client");
  timed_out_ = false;
  if (deadline) {
    timer_.expires_after(*deadline);
    timer_.async_wait([weak = weak_from_this(),
                       serial = ++timer_serial_](const boost::system::error_code& error) {
      const auto self = weak.lock();
      if (error || !self || self->timer_serial_ != serial) return;
      self->timed_out_ = true;
      self->socket_.cancel();
    });
  }
  boost::system::error_code error;
  co_await socket_.async_wait(type, asio::redirect_error(asio::use_awaitable, error));
  ++timer_serial_;
  if (deadline) timer_.cancel();
  if (timed_out_) co_return Error::from_errno(ETIMEDOUT, "wait for the client");
  if (aborted_) co_return Error::from_errno(ECONNABORTED, "wait for the client");
  if (error) co_return Error::from_errno(error.value(), "wait for the client");
  co_return Result<void>();
}

asio::awaitable<Result<std::size_t>> Connection::receive(std::span<char> into, int flags,
                                                         Deadline deadline) {
  for (;;) {
    if (aborted_) co_return Error::from_errno(ECONNABORTED, "read from the client");
    const ssize_t count =
        ::recv(socket_.native_handle(), into.data(), into.size(), flags | MSG_DONTWAIT);
    if (count >= 0) co_return static_cast<std::size_t>(count);
    if (errno == EINTR) continue;
    if (errno != EAGAIN) co_return fail_errno("read from the client");
    auto ready = co_await wait(stream_descriptor::wait_read, deadline);
    CO_TRY_VOID(std::move(ready));
  }
}

asio::awaitable<Result<std::size_t>> Connection::peek(std::span<char> into, Deadline deadline) {
  return receive(into, MSG_PEEK, deadline);
}

asio::awaitable<Result<std::size_t>> Connection::read(std::span<char> into, Deadline deadline) {
  return receive(into, 0, deadline);
}

Result<void> Connection::consume(std::size_t count) {
  std::array<char, 16384> sink;
  while (count > 0) {
    const std::size_t part = std::min(count, sink.size());
    const ssize_t taken = ::recv(socket_.native_handle(), sink.data(), part, MSG_DONTWAIT);
    if (taken < 0 && errno == EINTR) continue;
    if (taken < 0) return fail_errno("take {} bytes from the client", count);
    if (taken == 0) return Error::from_errno(ECONNRESET, "take bytes from the client");
    count -= static_cast<std::size_t>(taken);
  }
  return {};
}

asio::awaitable<Result<void>> Connection::write(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    if (aborted_) co_return Error::from_errno(ECONNABORTED, "write to the client");
    const ssize_t count =
        ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      auto ready = co_await wait(stream_descriptor::wait_write, deadline);
      CO_TRY_VOID(std::move(ready));
    } else if (errno != EINTR) {
      co_return fail_errno("write to the client");
    }
  }
  co_return Result<void>();
}

asio::awaitable<Result<void>> Connection::give_way() {
  co_await asio::post(socket_.get_executor(), asio::use_awaitable);
  if (aborted_) co_return Error::from_errno(ECONNABORTED, "serve the client");
  // A client that has only ended its own sending still waits for the answer: that is no hang-up.
  pollfd socket{.fd = socket_.native_handle(), .events = 0, .revents = 0};
  if (::poll(&socket, 1, 0) > 0) co_return Error::from_errno(ECONNRESET, "serve the client");
  co_return Result<void>();
}

void Connection::watch(std::function<void()> gone) {
  gone_ = std::move(gone);
  if (aborted_) return tell_gone();
  watch_for(stream_descriptor::wait_read);
}

void Connection::watch_for(WaitType type) {
  socket_.async_wait(type, [weak = weak_from_this(), serial = ++watch_serial_,
                            type](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || !self || self->watch_serial_ != serial) return;
    char byte;
    const ssize_t count = ::recv(self->socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    const bool open = count > 0 || (count < 0 && errno == EAGAIN);
    if (open && type == stream_descriptor::wait_read) {
      // The next request came ahead and stays unread: from here on only a hang-up tells that the
      // client has gone.
      self->watch_for(stream_descriptor::wait_error);
    } else {
      self->tell_gone();
    }
  });
}

void Connection::unwatch() {
  ++watch_serial_;
  gone_ = nullptr;
  if (socket_.is_open()) socket_.cancel();
}

void Connection::tell_gone() {
  ++watch_serial_;
  if (const auto gone = std::exchange(gone_, nullptr)) gone();
}

void Connection::abort() {
  if (aborted_ || !socket_.is_open()) return;
  aborted_ = true;
  ::shutdown(socket_.native_handle(), SHUT_RDWR);
  socket_.cancel();
  tell_gone();
}

asio::awaitable<void> Connection::finish() {
  if (aborted_ || !socket_.is_open()) co_return;
  ::shutdown(socket_.native_handle(), SHUT_WR);
  const auto end = std::chrono::steady_clock::now() + kGoodbye;
  std::array<char, 4096> sink;
  for (std::size_t total = 0; total < kGoodbyeBytes;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (left.count() <= 0) break;
    const auto count = co_await receive(sink, 0, left);
    if (!count.ok() || *count == 0) break;
    total += *count;
  }
}

UniqueFd Connection::release() {
  ++watch_serial_;
  ++timer_serial_;
  if (!socket_.is_open() || aborted_) return {};
  return UniqueFd(socket_.release());
}

}  // namespace berth::http
