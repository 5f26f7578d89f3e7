#include "sys/event.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

#include "sys/socket.h"

namespace berth::sys {
namespace {

using std::chrono::milliseconds;

class EventLoopTest : public testing::Test {
 protected:
  void put(int fd) { ASSERT_EQ(::write(fd, "x", 1), 1); }
  void take(int fd) {
    char byte = 0;
    ASSERT_EQ(::read(fd, &byte, 1), 1);
  }
  bool turn() { return *loop_.run_once(milliseconds(0)); }

  EventLoop loop_ = *EventLoop::create();
  std::pair<UniqueFd, UniqueFd> a_ = *stream_pair();
  std::pair<UniqueFd, UniqueFd> b_ = *stream_pair();
};

TEST_F(EventLoopTest, TellsOfWhatIsAskedForUntilItIsUsed) {
  int calls = 0;
  ASSERT_TRUE(loop_.watch(a_.first.get(), EPOLLIN, [&](std::uint32_t) { ++calls; }).ok());
  EXPECT_FALSE(turn());
  put(a_.second.get());
  EXPECT_TRUE(turn());
  EXPECT_TRUE(turn());
  EXPECT_EQ(calls, 2);
  take(a_.first.get());
  EXPECT_FALSE(turn());
}

TEST_F(EventLoopTest, WithNoEventsNotEvenAHangUpIsReported) {
  int calls = 0;
  ASSERT_TRUE(loop_.watch(a_.first.get(), EPOLLIN, [&](std::uint32_t) { ++calls; }).ok());
  ASSERT_TRUE(loop_.set_events(a_.first.get(), 0).ok());
  a_.second.reset();
  EXPECT_FALSE(turn());
  ASSERT_TRUE(loop_.set_events(a_.first.get(), EPOLLHUP).ok());
  EXPECT_TRUE(turn());
  EXPECT_EQ(calls, 1);
}

TEST_F(EventLoopTest, AHandlerMayForgetItselfAndTheOtherOne) {
  int calls = 0;
  const auto forget_both = [&](std::uint32_t) {
    ++calls;
    loop_.forget(a_.first.get());
    loop_.forget(b_.first.get());
  };
  ASSERT_TRUE(loop_.watch(a_.first.get(), EPOLLIN, forget_both).ok());
  ASSERT_TRUE(loop_.watch(b_.first.get(), EPOLLIN, forget_both).ok());
  put(a_.second.get());
  put(b_.second.get());
  EXPECT_TRUE(turn());
  EXPECT_FALSE(turn());
  EXPECT_EQ(calls, 1);
}

TEST_F(EventLoopTest, AReusedNumberDoesNotGetItsPredecessorsEvents) {
  int stale = 0;
  const auto replace_the_other = [&](UniqueFd& other) {
    return [&](std::uint32_t) {
      const int number = other.get();
      loop_.forget(number);
      // Both handlers end here, but only the first may: the second's event is of the old socket.
      auto [fresh, peer] = *stream_pair();
      ASSERT_EQ(::dup3(fresh.get(), number, O_CLOEXEC), number);
      ASSERT_TRUE(loop_.watch(number, EPOLLIN, [&](std::uint32_t) { ++stale; }).ok());
      loop_.forget(a_.first.get() == number ? b_.first.get() : a_.first.get());
      b_.second = std::move(peer);
    };
  };
  ASSERT_TRUE(loop_.watch(a_.first.get(), EPOLLIN, replace_the_other(b_.first)).ok());
  ASSERT_TRUE(loop_.watch(b_.first.get(), EPOLLIN, replace_the_other(a_.first)).ok());
  put(a_.second.get());
  put(b_.second.get());
  EXPECT_TRUE(turn());
  EXPECT_EQ(stale, 0);
}

TEST_F(EventLoopTest, WhatCannotBeWatchedIsAnError) {
  EXPECT_FALSE(loop_.watch(-1, EPOLLIN, [](std::uint32_t) {}).ok());
  EXPECT_EQ(loop_.set_events(77, EPOLLIN).error().kind(), ErrorKind::kInvalid);
  loop_.forget(77);
}

}  // namespace
}  // namespace berth::sys
