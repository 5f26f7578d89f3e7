#include "base/clock.h"

#include <gtest/gtest.h>

namespace berth {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kGoReference =
    std::chrono::sys_days(std::chrono::year(2006) / 1 / 2) + 15h + 4min + 5s;

TEST(Clock, FormatsAsGoDoes) {
  EXPECT_EQ(format_rfc3339(kGoReference), "2006-01-02T15:04:05Z");
  EXPECT_EQ(format_rfc3339(kGoReference + 120ms), "2006-01-02T15:04:05.12Z");
  EXPECT_EQ(format_rfc3339(kGoReference + 1ns), "2006-01-02T15:04:05.000000001Z");
}

TEST(Clock, FixedFormHasAlwaysNineDigits) {
  EXPECT_EQ(format_rfc3339_fixed(kGoReference), "2006-01-02T15:04:05.000000000Z");
  EXPECT_EQ(format_rfc3339_fixed(kGoReference + 120ms), "2006-01-02T15:04:05.120000000Z");
}

TEST(Clock, FormatsTimesBeforeTheEpoch) {
  EXPECT_EQ(format_rfc3339(WallTime(-1ns)), "1969-12-31T23:59:59.999999999Z");
}

TEST(Clock, ParsesWhatItFormats) {
  for (const WallTime time : {kGoReference, kGoReference + 120ms, WallTime(-1ns), now()}) {
    EXPECT_EQ(*parse_rfc3339(format_rfc3339(time)), time);
    EXPECT_EQ(*parse_rfc3339(format_rfc3339_fixed(time)), time);
  }
}

TEST(Clock, ParsesOffsets) {
  EXPECT_EQ(*parse_rfc3339("2006-01-02T17:34:05+02:30"), kGoReference);
  EXPECT_EQ(*parse_rfc3339("2006-01-02T10:04:05-05:00"), kGoReference);
}

TEST(Clock, IgnoresDigitsBeyondNanoseconds) {
  EXPECT_EQ(*parse_rfc3339("2006-01-02T15:04:05.0000000019Z"), kGoReference + 1ns);
}

TEST(Clock, NeverIsClampedToTheEpoch) {
  EXPECT_EQ(*parse_rfc3339(kZeroTime), WallTime());
}

TEST(Clock, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "2006-01-02", "2006-01-02T15:04:05", "2006-13-02T15:04:05Z", "2006-02-30T15:04:05Z",
        "2006-01-02T24:04:05Z", "2006-01-02T15:60:05Z", "2006-01-02T15:04:05.Z",
        "2006-01-02T15:04:05Zx", "2006-01-02T15:04:05+25:00", "2006-01-02 15:04:05Z"}) {
    const auto parsed = parse_rfc3339(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().kind(), ErrorKind::kInvalid);
    EXPECT_NE(parsed.error().message().find(text), std::string::npos);
  }
}

}  // namespace
}  // namespace berth
