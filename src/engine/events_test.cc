#include "engine/events.h"

#include <gtest/gtest.h>

namespace berth::engine {
namespace {

Event event(std::string action) {
  return {.type = "container",
          .action = std::move(action),
          .actor = "id",
          .attributes = {},
          .time = {}};
}

TEST(EventBus, TellsEverySubscriberInOrder) {
  EventBus bus;
  std::string first, second;
  const auto one = bus.subscribe([&](const Event& e) { first += e.action + " "; });
  bus.publish(event("create"));
  const auto two = bus.subscribe([&](const Event& e) { second += e.action + " "; });
  bus.publish(event("start"));
  EXPECT_EQ(first, "create start ");
  EXPECT_EQ(second, "start ");
}

TEST(EventBus, SubscriptionMayEndItselfWhileBeingTold) {
  EventBus bus;
  int told = 0;
  std::unique_ptr<EventBus::Subscription> once;
  once = bus.subscribe([&](const Event&) {
    ++told;
    once.reset();
  });
  bus.publish(event("start"));
  bus.publish(event("die"));
  EXPECT_EQ(told, 1);
}

TEST(EventBus, ListenerMayPublish) {
  EventBus bus;
  std::string seen;
  const auto listener = bus.subscribe([&](const Event& e) {
    seen += e.action + " ";
    if (e.action == "die") bus.publish(event("destroy"));
  });
  bus.publish(event("die"));
  EXPECT_EQ(seen, "die destroy ");
}

TEST(EventBus, HistoryIsBounded) {
  EventBus bus;
  for (std::size_t i = 0; i < EventBus::kHistory + 10; ++i) bus.publish(event(std::to_string(i)));
  EXPECT_EQ(bus.history().size(), EventBus::kHistory);
  EXPECT_EQ(bus.history().front().action, "10");
}

}  // namespace
}  // namespace berth::engine
