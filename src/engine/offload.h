// offload(): runs a blocking function on a thread pool while the coroutine that asked sleeps, then
// goes on where it was. Signal: lets coroutines of one event loop wait for each other. Both belong
// to the event-loop thread.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace berth::engine {

/// `work` runs on a thread of `pool` and must not touch state of the event loop; its result comes
/// back to the loop. Pass a named lambda: g++ 12 destroys temporaries inside a co_await expression
/// at the wrong time.
template <typename Work>
boost::asio::awaitable<std::invoke_result_t<Work&>> offload(boost::asio::thread_pool& pool,
                                                            Work work) {
  namespace asio = boost::asio;
  std::optional<std::invoke_result_t<Work&>> result;
  auto initiate = [&](auto handler) {
    auto loop = asio::get_associated_executor(handler);
    asio::post(pool, [&result, &work, guard = asio::make_work_guard(loop), loop,
                      handler = std::move(handler)]() mutable {
      result.emplace(work());
      asio::post(loop, std::move(handler));
    });
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(initiate,
                                                                        asio::use_awaitable);
  co_return std::move(*result);
}

/// A condition without a mutex: wait() sleeps until the next notify_all(). Check the predicate in a
/// loop.
class Signal {
 public:
  explicit Signal(boost::asio::any_io_executor loop) : timer_(std::move(loop)) { rearm(); }

  /// Returns at the next notify_all(), or at once when the waiting coroutine is cancelled.
  boost::asio::awaitable<void> wait() {
    boost::system::error_code ignored;
    co_await timer_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
  }
  void notify_all() { rearm(); }

 private:
  // Setting a timer's expiry wakes everyone who waits on it.
  void rearm() { timer_.expires_at(boost::asio::steady_timer::time_point::max()); }

  boost::asio::steady_timer timer_;
};

/// Calls `expired` once `timeout` has passed, unless it is destroyed before.
class Deadline {
 public:
  template <typename Expired>
  Deadline(boost::asio::any_io_executor loop, std::chrono::milliseconds timeout, Expired expired)
      : timer_(std::move(loop), timeout), passed_(std::make_shared<bool>(false)) {
    timer_.async_wait(
        [passed = passed_, expired = std::move(expired)](const boost::system::error_code& error) {
          if (error) return;
          *passed = true;
          expired();
        });
  }

  bool passed() const { return *passed_; }

 private:
  boost::asio::steady_timer timer_;
  std::shared_ptr<bool> passed_;  // the handler may run after this object has gone
};

}  // namespace berth::engine
