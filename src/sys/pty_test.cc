#include "sys/pty.h"

#include <gtest/gtest.h>

namespace berth::sys {
namespace {

TEST(Pty, SizeSetThroughOneEndIsSeenThroughTheOther) {
  auto pty = open_pty();
  ASSERT_TRUE(pty.ok()) << pty.error().message();
  ASSERT_TRUE(set_window_size(pty->master.get(), {.rows = 24, .columns = 80}).ok());
  EXPECT_EQ(*window_size(pty->slave.get()), (WindowSize{.rows = 24, .columns = 80}));
}

TEST(Pty, WhatIsNoTerminalHasNoSize) {
  EXPECT_FALSE(window_size(-1).ok());
  EXPECT_FALSE(set_window_size(-1, {}).ok());
}

}  // namespace
}  // namespace berth::sys
