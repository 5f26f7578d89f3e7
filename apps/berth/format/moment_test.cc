#include "berth/format/moment.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace berth::cli {
namespace {

class Moment : public ::testing::Test {
 protected:
  void SetUp() override {
    ::setenv("TZ", "UTC-2", 1);
    ::tzset();
  }
  WallTime now_{std::chrono::seconds(1'000'000)};
};

TEST_F(Moment, LengthsCountBackFromNow) {
  EXPECT_EQ(*query_moment("10m", now_), "999400.000000000");
  EXPECT_EQ(*query_moment("1.5s", now_), "999998.500000000");
}

TEST_F(Moment, EpochSecondsAreLeftAlone) {
  EXPECT_EQ(*query_moment("1136073600", now_), "1136073600");
  EXPECT_EQ(*query_moment("1136073600.000000001", now_), "1136073600.000000001");
}

TEST_F(Moment, DatesAreReadWithTheirZoneOrAsLocalTime) {
  EXPECT_EQ(*query_moment("2006-01-02T15:04:05Z", now_), "1136214245.000000000");
  EXPECT_EQ(*query_moment("2006-01-02T15:04:05.25+02:00", now_), "1136207045.250000000");
  EXPECT_EQ(*query_moment("2006-01-02T15:04:05", now_), "1136207045.000000000");
  EXPECT_EQ(*query_moment("2006-01-02T15:04:05.5", now_), "1136207045.500000000");
  EXPECT_EQ(*query_moment("2006-01-02", now_), "1136152800.000000000");
}

TEST_F(Moment, OtherTextIsRefused) {
  for (const char* text : {"", "yesterday", "2006-13-45", "1.2.3", "2006-01-02T15:04:05.5.5"})
    EXPECT_FALSE(query_moment(text, now_).ok()) << text;
}

TEST_F(Moment, MomentsAreShownInLocalTime) {
  EXPECT_EQ(local_rfc3339(1136207045000000001), "2006-01-02T15:04:05.000000001+02:00");
  EXPECT_EQ(local_moment(1136207045), "2006-01-02 15:04:05 +0200 UTC");
}

}  // namespace
}  // namespace berth::cli
