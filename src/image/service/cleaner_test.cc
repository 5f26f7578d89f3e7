#include "image/service/cleaner.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>

namespace berth::image {
namespace {

TEST(Cleaner, DoesItsWorkWhenItIsWokenAndOnceMoreIfItWasUnderWay) {
  std::atomic<int> times = 0;
  std::latch begun(1);
  std::latch go_on(1);
  Cleaner cleaner([&](const std::stop_token&) {
    if (++times > 1) return;
    begun.count_down();
    go_on.wait();
  });
  cleaner.wait();
  EXPECT_EQ(times, 0);
  cleaner.wake();
  begun.wait();
  cleaner.wake();
  cleaner.wake();
  go_on.count_down();
  cleaner.wait();
  EXPECT_EQ(times, 2);
  cleaner.wake();
  cleaner.wait();
  EXPECT_EQ(times, 3);
}

TEST(Cleaner, ItsEndStopsTheWork) {
  std::latch begun(1);
  bool stopped = false;
  {
    Cleaner cleaner([&](const std::stop_token& stop) {
      begun.count_down();
      while (!stop.stop_requested()) std::this_thread::yield();
      stopped = true;
    });
    cleaner.wake();
    begun.wait();
  }
  EXPECT_TRUE(stopped);
}

TEST(Cleaner, ManyMayWakeIt) {
  std::atomic<int> times = 0;
  Cleaner cleaner([&](const std::stop_token&) { ++times; });
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int j = 0; j < 200; ++j) {
          cleaner.wake();
          if (j % 7 == 0) cleaner.wait();
        }
      });
  }
  cleaner.wait();
  EXPECT_GT(times, 0);
  EXPECT_LE(times, 800);
}

}  // namespace
}  // namespace berth::image
