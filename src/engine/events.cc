#include "engine/events.h"

#include <utility>

namespace berth::engine {

std::unique_ptr<EventBus::Subscription> EventBus::subscribe(Listener listener) {
  const std::size_t key = next_key_++;
  listeners_.emplace(key, std::make_shared<Listener>(std::move(listener)));
  return std::make_unique<Subscription>(*this, key);
}

void EventBus::publish(Event event) {
  history_.push_back(std::move(event));
  if (history_.size() > kHistory) history_.pop_front();
  // A copy: a listener may end any subscription, its own included, while it runs; and publish in
  // its turn.
  const Event told = history_.back();
  std::vector<std::size_t> keys;
  keys.reserve(listeners_.size());
  for (const auto& [key, listener] : listeners_) keys.push_back(key);
  for (const std::size_t key : keys) {
    const auto it = listeners_.find(key);
    if (it == listeners_.end()) continue;
    const std::shared_ptr<Listener> listener = it->second;
    (*listener)(told);
  }
}

}  // namespace berth::engine
