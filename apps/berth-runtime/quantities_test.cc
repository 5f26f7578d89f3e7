#include "berth-runtime/quantities.h"

#include <gtest/gtest.h>

namespace berth::runtime {
namespace {

using namespace std::chrono_literals;

TEST(Quantities, SizesHaveUnitsOfPowersOf1024) {
  EXPECT_EQ(parse_size("-1"), -1);
  EXPECT_EQ(parse_size("0"), 0);
  EXPECT_EQ(parse_size("512"), 512);
  EXPECT_EQ(parse_size("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(parse_size("12b"), 12);
  EXPECT_EQ(parse_size("1k"), 1024);
  EXPECT_EQ(parse_size("64M"), 64 << 20);
  EXPECT_EQ(parse_size("64MiB"), 64 << 20);
  EXPECT_EQ(parse_size("1.5 gb"), 3LL << 29);
  for (const char* text :
       {"", "m", "-2", "-1m", "1x", "1mm", "1bb", "1kibi", "1 2", "1e3", "99999p"})
    EXPECT_FALSE(parse_size(text).has_value()) << text;
}

TEST(Quantities, TimesHaveParts) {
  EXPECT_EQ(parse_duration("5s"), 5s);
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("1m30s"), 90s);
  EXPECT_EQ(parse_duration("0.5h"), 30min);
  EXPECT_EQ(parse_duration("7us"), 7us);
  EXPECT_EQ(parse_duration("0"), 0s);
  for (const char* text : {"", "5", "s", "-5s", "5 s", "5d", "1e9s", "99999999h"})
    EXPECT_FALSE(parse_duration(text).has_value()) << text;
}

}  // namespace
}  // namespace berth::runtime
