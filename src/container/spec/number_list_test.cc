#include "container/spec/number_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::container {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;
using ::testing::SizeIs;

TEST(NumberList, NumbersAndRangesAreBits) {
  EXPECT_THAT(parse_number_list("0"), Optional(ElementsAre(1UL)));
  EXPECT_THAT(parse_number_list("0-3,7"), Optional(ElementsAre(0x8FUL)));
  EXPECT_THAT(parse_number_list("5,1,1-1"), Optional(ElementsAre(0x22UL)));
  EXPECT_THAT(parse_number_list("63-64"), Optional(ElementsAre(1UL << 63, 1UL)));
  EXPECT_THAT(parse_number_list("8191"), Optional(SizeIs(128)));
}

TEST(NumberList, NoTextIsNoNumber) {
  EXPECT_THAT(parse_number_list(""), Optional(ElementsAre()));
}

TEST(NumberList, WhatIsNoListIsRefused) {
  for (const char* text : {"a", "-", "1-", "-1", "3-1", "1,", ",1", "1,,2", "1 ", " 1", "+1",
                           "1-2-3", "8192", "0-8192", "99999999999", "1.5"})
    EXPECT_EQ(parse_number_list(text), std::nullopt) << text;
}

}  // namespace
}  // namespace berth::container
