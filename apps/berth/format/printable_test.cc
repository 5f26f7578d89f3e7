#include "berth/format/printable.h"

#include <gtest/gtest.h>

namespace berth::cli {
namespace {

TEST(Printable, LeavesNamesAsTheyAre) {
  EXPECT_EQ(printable("/etc/h osts"), "/etc/h osts");
  EXPECT_EQ(printable("/n\xc3\xa9\xff"), "/n\xc3\xa9\xff");
}

TEST(Printable, ShowsWhatWouldBreakALine) {
  EXPECT_EQ(printable("a\nb\tc\x1b[2J\x7f"), "a\\nb\\tc\\x1b[2J\\x7f");
}

}  // namespace
}  // namespace berth::cli
