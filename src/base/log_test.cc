#include "base/log.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace berth::log {
namespace {

std::vector<std::string> g_lines;

class Log : public testing::Test {
 protected:
  void SetUp() override {
    g_lines.clear();
    set_sink([](Level level, std::string_view message) {
      g_lines.push_back(fmt::format("{}: {}", to_string(level), message));
    });
  }
  void TearDown() override { set_threshold(Level::kInfo); }
};

TEST_F(Log, FormatsAndNamesTheLevel) {
  info("{} of {}", 1, 2);
  warning("w");
  error("e");
  EXPECT_EQ(g_lines, (std::vector<std::string>{"info: 1 of 2", "warning: w", "error: e"}));
}

TEST_F(Log, BelowTheThresholdNothingIsWritten) {
  debug("hidden");
  set_threshold(Level::kError);
  warning("hidden");
  error("shown");
  EXPECT_EQ(g_lines, std::vector<std::string>{"error: shown"});
}

TEST_F(Log, DebugIsShownWhenAskedFor) {
  set_threshold(Level::kDebug);
  debug("shown");
  EXPECT_EQ(g_lines.size(), 1U);
}

}  // namespace
}  // namespace berth::log
