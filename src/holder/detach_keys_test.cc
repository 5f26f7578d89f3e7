#include "holder/detach_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::holder {
namespace {

TEST(DetachKeys, AreSpelledAsDockerSpellsThem) {
  EXPECT_EQ(*parse_detach_keys(""), "\x10\x11");
  EXPECT_EQ(*parse_detach_keys("ctrl-a,x"), "\x01x");
  EXPECT_EQ(*parse_detach_keys("ctrl-@"), std::string(1, '\0'));
  EXPECT_EQ(*parse_detach_keys("ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_"), "\x1b\x1c\x1d\x1e\x1f");
  EXPECT_EQ(*parse_detach_keys("DEL"), "\x7f");
}

TEST(DetachKeys, AnythingElseIsNamedInTheError) {
  for (const char* text : {"ctrl-", "ctrl-A", "ctrl-aa", "ab", ",", "a,", "ctrl-1"})
    EXPECT_EQ(parse_detach_keys(text).error().kind(), ErrorKind::kInvalid) << text;
  EXPECT_THAT(parse_detach_keys("a,alt-x").error().message(), testing::HasSubstr("'alt-x'"));
  EXPECT_FALSE(parse_detach_keys("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q").ok());
}

TEST(DetachMatcher, FindsTheKeysAcrossReads) {
  DetachMatcher matcher("\x10\x11");
  auto fed = matcher.feed("ls\x10");
  EXPECT_EQ(fed.input, "ls");
  EXPECT_FALSE(fed.detached);
  fed = matcher.feed("\x11rest");
  EXPECT_EQ(fed.input, "");
  EXPECT_TRUE(fed.detached);
}

TEST(DetachMatcher, WhatTurnsOutNotToBeTheKeysIsPassedOn) {
  DetachMatcher matcher("\x10\x11");
  EXPECT_EQ(matcher.feed("\x10").input, "");
  EXPECT_EQ(matcher.feed("a").input,
            "\x10"
            "a");
  EXPECT_EQ(matcher.feed("\x10\x10").input, "\x10");
  EXPECT_TRUE(matcher.feed("\x11").detached);
}

TEST(DetachMatcher, KeysThatRepeatThemselvesAreFoundAtAnyPlace) {
  DetachMatcher matcher("aab");
  const auto fed = matcher.feed("aaab");
  EXPECT_EQ(fed.input, "a");
  EXPECT_TRUE(fed.detached);
}

}  // namespace
}  // namespace berth::holder
