// Server: accepts clients on its listeners and reads their requests one after another, each handed
// to the one handler. Event-loop thread only. The server must live until stop() has called back, or
// the loop has ended for good.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <list>
#include <memory>
#include <set>

#include "api/http/exchange.h"
#include "api/http/listener.h"

namespace berth::http {

class Server {
 public:
  /// Clients at a time; more wait in the kernel's queue. Each running `docker run` holds two.
  static constexpr std::size_t kMaxClients = 4096;

  Server(boost::asio::any_io_executor loop, Handler handler);
  ~Server();

  /// Starts to accept on `listener`, whose socket's file goes with stop().
  Result<void> serve(Listener listener);
  /// Accepts no more, cuts every connection, and calls `done` when the last handler has ended.
  void stop(std::function<void()> done);
  std::size_t clients() const { return clients_.size(); }

 private:
  struct Door;  // one listener and its accept loop
  boost::asio::awaitable<void> accept(std::shared_ptr<Door> door);
  void admit(UniqueFd socket);
  boost::asio::awaitable<void> converse(std::shared_ptr<Connection> connection);
  boost::asio::awaitable<bool> handle_one(Connection& connection);
  void leave(const std::shared_ptr<Connection>& connection);

  boost::asio::any_io_executor loop_;
  Handler handler_;
  std::list<std::shared_ptr<Door>> doors_;
  std::set<std::shared_ptr<Connection>> clients_;
  std::function<void()> stopped_;
};

}  // namespace berth::http
