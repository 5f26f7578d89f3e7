// EventLoop: waits for descriptors and calls whoever watches them. epoll(7), level-triggered: an
// event that its handler leaves unused comes again. For the single-threaded programs; the daemon
// has an event loop of its own. Not thread-safe.
#pragma once

#include <sys/epoll.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "base/result.h"
#include "base/unique_fd.h"

namespace berth::sys {

class EventLoop {
 public:
  /// Gets the EPOLL* bits that hold. May watch, change and forget any descriptor, its own included.
  using Handler = std::function<void(std::uint32_t events)>;

  static Result<EventLoop> create();

  /// Calls `handler` when one of `events` holds for `fd`, which is borrowed until forget().
  /// Hang-ups and errors are reported whatever is asked for, except with 0: then nothing is.
  Result<void> watch(int fd, std::uint32_t events, Handler handler);
  /// Asks for other events of a watched descriptor. Costs nothing if they are the same.
  Result<void> set_events(int fd, std::uint32_t events);
  /// Stops watching; call it before the descriptor is closed. One that is not watched is no error.
  void forget(int fd);

  /// Waits until something happens, or `timeout` has passed, and calls the handlers of what did.
  /// False: the time has passed.
  Result<bool> run_once(std::optional<std::chrono::milliseconds> timeout = std::nullopt);

 private:
  struct Watch {
    std::uint32_t events = 0;
    // Tells a descriptor from an earlier one of the same number that is still in the batch of
    // events under way.
    std::uint32_t generation = 0;
    std::shared_ptr<Handler> handler;  // shared, so that a handler outlives its own forget()
  };

  explicit EventLoop(UniqueFd epoll) : epoll_(std::move(epoll)) {}
  Result<void> apply(int fd, Watch& watch, std::uint32_t events);

  UniqueFd epoll_;
  std::map<int, Watch> watches_;
  std::uint32_t last_generation_ = 0;
};

}  // namespace berth::sys
