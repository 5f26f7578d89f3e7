#include "berth/stream/detach_keys.h"

#include <gtest/gtest.h>

namespace berth::cli {
namespace {

struct Typed {
  std::string out;
  bool detached = false;
};

Typed type(std::string_view sequence, std::initializer_list<std::string_view> pieces) {
  DetachKeys keys = *DetachKeys::parse(sequence);
  Typed typed;
  for (const auto piece : pieces) typed.detached = typed.detached || keys.feed(piece, typed.out);
  return typed;
}

TEST(DetachKeys, TheDefaultIsCtrlPCtrlQ) {
  EXPECT_TRUE(type("", {"ls\x10\x11ignored"}).detached);
  EXPECT_EQ(type("", {"ls\x10\x11ignored"}).out, "ls");
  EXPECT_TRUE(type("", {"\x10", "\x11"}).detached);
}

TEST(DetachKeys, AHalfTypedSequenceIsHandedOnWithTheNextKey) {
  EXPECT_EQ(type("", {"a\x10"}).out, "a");
  EXPECT_EQ(type("", {"a\x10", "b"}).out,
            "a\x10"
            "b");
  const Typed twice = type("", {"\x10\x10\x11"});
  EXPECT_TRUE(twice.detached);
  EXPECT_EQ(twice.out, "\x10");
}

TEST(DetachKeys, OtherSequences) {
  EXPECT_TRUE(type("x,ctrl-],Y", {"x\x1dY"}).detached);
  EXPECT_FALSE(DetachKeys::parse("ctrl-").ok());
  EXPECT_FALSE(DetachKeys::parse("a,,b").ok());
  EXPECT_FALSE(DetachKeys::parse("ctrl-!").ok());
  EXPECT_FALSE(DetachKeys::parse("shift-a").ok());
}

}  // namespace
}  // namespace berth::cli
