// EventBus: what happened, told to whoever listens. Keeps the last kHistory events so that `since`
// works across a short gap. A subscriber that does not keep up loses its subscription rather than
// the engine its memory. Belongs to the event-loop thread.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"

namespace berth::engine {

struct Event {
  std::string type;    // "container", "image", "network", "volume"
  std::string action;  // "create", "start", "die", "destroy", ...
  std::string actor;   // id of the thing
  std::map<std::string, std::string> attributes;
  WallTime time;
};

class EventBus {
 public:
  /// As many events are kept for `since`.
  static constexpr std::size_t kHistory = 256;

  using Listener = std::function<void(const Event&)>;
  /// Ends the subscription when destroyed. May be destroyed from inside the listener. Must not
  /// outlive the bus.
  class Subscription {
   public:
    Subscription(EventBus& bus, std::size_t key) : bus_(&bus), key_(key) {}
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;
    ~Subscription() { bus_->listeners_.erase(key_); }

   private:
    EventBus* bus_;
    std::size_t key_;
  };

  [[nodiscard]] std::unique_ptr<Subscription> subscribe(Listener listener);
  void publish(Event event);
  /// Oldest first.
  const std::deque<Event>& history() const { return history_; }

 private:
  std::map<std::size_t, std::shared_ptr<Listener>> listeners_;
  std::deque<Event> history_;
  std::size_t next_key_ = 1;
};

}  // namespace berth::engine
