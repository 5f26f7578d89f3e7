#include "engine/holder_link.h"

#include <utility>

#include "base/log.h"
#include "holder/client.h"

namespace berth::engine {

std::shared_ptr<HolderLink> HolderLink::open(UniqueFd socket, boost::asio::any_io_executor loop,
                                             Callbacks callbacks) {
  std::shared_ptr<HolderLink> link(
      new HolderLink(std::move(socket), std::move(loop), std::move(callbacks)));
  link->listen();
  return link;
}

HolderLink::HolderLink(UniqueFd socket, boost::asio::any_io_executor loop, Callbacks callbacks)
    : socket_(std::move(loop), socket.release()), callbacks_(std::move(callbacks)) {
  boost::system::error_code ignored;  // a socket that cannot be set so fails at its first use
  socket_.non_blocking(true, ignored);
}

Result<void> HolderLink::send(const holder::EngineMessage& message, std::span<const int> fds) {
  if (!socket_.is_open()) return fail(ErrorKind::kInternal, "its holder is gone");
  return holder::send(socket_.native_handle(), message, fds);
}

void HolderLink::close() {
  callbacks_ = {};
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void HolderLink::listen() {
  socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       if (!error) self->receive();
                     });
}

void HolderLink::receive() {
  for (;;) {
    if (!socket_.is_open()) return;  // a callback has closed it
    const auto message = holder::try_receive(socket_.native_handle());
    if (message.ok() && !*message) break;  // nothing more for now
    if (message.ok()) {
      // Copied: the callback may close this link, and itself with it.
      if (const auto on_message = callbacks_.on_message) on_message(**message);
    } else if (message.error().kind() == ErrorKind::kInvalid) {
      log::warning("{}", message.error().message());
    } else {
      const auto on_closed = std::move(callbacks_.on_closed);
      close();
      if (on_closed) on_closed();
      return;
    }
  }
  listen();
}

}  // namespace berth::engine
