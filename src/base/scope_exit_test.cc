#include "base/scope_exit.h"

#include <gtest/gtest.h>

#include <string>

namespace berth {
namespace {

TEST(ScopeExit, RunsWhenTheScopeEnds) {
  int runs = 0;
  {
    const ScopeExit undo([&] { ++runs; });
    EXPECT_EQ(runs, 0);
  }
  EXPECT_EQ(runs, 1);
}

TEST(ScopeExit, DoesNothingOnceCancelled) {
  int runs = 0;
  {
    ScopeExit undo([&] { ++runs; });
    undo.cancel();
  }
  EXPECT_EQ(runs, 0);
}

TEST(ScopeExit, UndoesInReverseOrder) {
  std::string order;
  {
    const ScopeExit first([&] { order += "1"; });
    const ScopeExit second([&] { order += "2"; });
  }
  EXPECT_EQ(order, "21");
}

}  // namespace
}  // namespace berth
