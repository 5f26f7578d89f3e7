#include "api/http/wakeup.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace berth::http {

Wakeup::Wakeup(const boost::asio::any_io_executor& loop)
    : timer_(loop, boost::asio::steady_timer::time_point::max()) {}

void Wakeup::call() {
  called_ = true;
  timer_.cancel();
}

boost::asio::awaitable<void> Wakeup::wait() {
  while (!called_) {
    boost::system::error_code ignored;
    co_await timer_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
  }
  called_ = false;
}

}  // namespace berth::http
