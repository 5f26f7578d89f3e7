// CancellableTask: a task of the engine that runs beside the coroutine that serves a client, and
// can be cancelled where it waits when the client goes. Event-loop thread only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "api/http/connection.h"
#include "api/http/wakeup.h"
#include "base/result.h"

namespace berth::docker {

template <typename T>
class CancellableTask {
 public:
  /// Starts `task`. It has reached its first wait when this returns, or does before any other
  /// request is read. `on_end` is called when it has ended, unless the object has gone by then.
  CancellableTask(const boost::asio::any_io_executor& loop, boost::asio::awaitable<Result<T>> task,
                  std::function<void()> on_end = {})
      : state_(std::make_shared<State>(loop)) {
    state_->on_end = std::move(on_end);
    boost::asio::co_spawn(loop, run(state_, std::move(task)),
                          boost::asio::bind_cancellation_slot(state_->cancel.slot(),
                                                              [state = state_](std::exception_ptr) {
                                                                state->ended = true;
                                                                state->wakeup.call();
                                                                if (state->on_end) state->on_end();
                                                              }));
  }
  /// What still runs is cancelled.
  ~CancellableTask() {
    state_->on_end = nullptr;
    cancel();
  }
  CancellableTask(const CancellableTask&) = delete;
  CancellableTask& operator=(const CancellableTask&) = delete;

  bool ended() const { return state_->ended; }
  void cancel() { state_->cancel.emit(boost::asio::cancellation_type::terminal); }

  /// The task's result; nothing if the client went before there was one. The request must have been
  /// read to its end.
  boost::asio::awaitable<std::optional<Result<T>>> until_gone(http::Connection& connection) {
    connection.watch(
        [state = state_] { state->cancel.emit(boost::asio::cancellation_type::terminal); });
    while (!state_->ended) co_await state_->wakeup.wait();
    connection.unwatch();
    co_return std::move(state_->result);
  }

 private:
  struct State {
    explicit State(const boost::asio::any_io_executor& loop) : wakeup(loop) {}
    http::Wakeup wakeup;
    boost::asio::cancellation_signal cancel;
    std::function<void()> on_end;
    std::optional<Result<T>> result;
    bool ended = false;
  };

  // An exception here is the cancellation: there is no result then.
  static boost::asio::awaitable<void> run(std::shared_ptr<State> state,
                                          boost::asio::awaitable<Result<T>> task) {
    auto result = co_await std::move(task);
    state->result.emplace(std::move(result));
  }

  std::shared_ptr<State> state_;
};

}  // namespace berth::docker
