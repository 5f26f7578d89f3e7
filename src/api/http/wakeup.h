// Wakeup: puts a coroutine to sleep until another one, or a callback, calls it. A call that comes
// while nobody sleeps is kept for the next wait; several count as one. Event-loop thread only.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace berth::http {

class Wakeup {
 public:
  explicit Wakeup(const boost::asio::any_io_executor& loop);
  void call();
  boost::asio::awaitable<void> wait();

 private:
  boost::asio::steady_timer timer_;
  bool called_ = false;
};

}  // namespace berth::http
