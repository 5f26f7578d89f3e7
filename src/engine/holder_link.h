// HolderLink: the engine's end of the conversation with one holder, on the event loop. Requests go
// out without blocking; what the holder says is kept here and told through the callbacks.
// holder/protocol.h has the messages. Event-loop thread only. Kept by shared_ptr: a read that is
// under way keeps its link.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <span>

#include "base/result.h"
#include "base/unique_fd.h"
#include "holder/protocol.h"

namespace berth::engine {

class HolderLink : public std::enable_shared_from_this<HolderLink> {
 public:
  /// Each is called at most once per message, from the event loop, never from inside send().
  struct Callbacks {
    std::function<void(const holder::HolderMessage&)> on_message;
    /// The holder has closed its end, or said something that is no message.
    std::function<void()> on_closed;
  };

  /// Takes over a connected socket and starts to listen.
  static std::shared_ptr<HolderLink> open(UniqueFd socket, boost::asio::any_io_executor loop,
                                          Callbacks callbacks);

  /// kInternal if the holder is gone or its queue is full. `fds` are borrowed.
  Result<void> send(const holder::EngineMessage& message, std::span<const int> fds = {});
  /// Stops listening; no callback comes after this.
  void close();

 private:
  HolderLink(UniqueFd socket, boost::asio::any_io_executor loop, Callbacks callbacks);
  void listen();
  void receive();

  boost::asio::posix::stream_descriptor socket_;
  Callbacks callbacks_;
};

}  // namespace berth::engine
