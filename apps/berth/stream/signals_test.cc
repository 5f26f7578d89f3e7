#include "berth/stream/signals.h"

#include <gtest/gtest.h>

#include <array>

namespace berth::cli {
namespace {

TEST(SignalQueue, SignalsWaitOnTheDescriptor) {
  constexpr std::array kUsed = {SIGUSR1};
  auto queue = SignalQueue::open(kUsed);
  ASSERT_TRUE(queue.ok());
  EXPECT_EQ(queue->take(), std::nullopt);
  ::raise(SIGUSR1);
  EXPECT_EQ(queue->take(), SIGUSR1);
  EXPECT_EQ(queue->take(), std::nullopt);
}

TEST(SignalQueue, EveryForwardedSignalHasAName) {
  for (const int signal : forwarded_signals()) EXPECT_FALSE(signal_name(signal).empty()) << signal;
  EXPECT_EQ(signal_name(SIGINT), "INT");
  EXPECT_EQ(signal_name(SIGCHLD), "");
  EXPECT_EQ(signal_name(SIGPIPE), "");
}

}  // namespace
}  // namespace berth::cli
