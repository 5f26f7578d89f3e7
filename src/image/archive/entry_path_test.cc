#include "image/archive/entry_path.h"

#include <gtest/gtest.h>

namespace berth::image {
namespace {

TEST(EntryPath, IsRelativeToTheRootAndClean) {
  EXPECT_EQ(MUST(clean_entry_path("a/b")), "a/b");
  EXPECT_EQ(MUST(clean_entry_path("./a//b/./")), "a/b");
  EXPECT_EQ(MUST(clean_entry_path("/etc/passwd")), "etc/passwd");
  EXPECT_EQ(MUST(clean_entry_path("a/../b")), "b");
  EXPECT_EQ(MUST(clean_entry_path("a/b/../../c")), "c");
  for (const char* root : {"", "/", ".", "./", "a/.."}) EXPECT_EQ(MUST(clean_entry_path(root)), "");
}

TEST(EntryPath, NeverLeavesTheRoot) {
  for (const char* bad : {"..", "../a", "a/../../b", "/../a", "./..", "a/b/../../../c"}) {
    EXPECT_EQ(clean_entry_path(bad).error().kind(), ErrorKind::kInvalid) << bad;
  }
  EXPECT_FALSE(clean_entry_path(std::string(4096, 'a')).ok());
}

TEST(EntryPath, ErrorsQuoteHostileNames) {
  EXPECT_EQ(quote_name("a\nb\x1b[0m"), "'a?b?[0m'");
  EXPECT_EQ(quote_name(std::string(300, 'a')), "'" + std::string(200, 'a') + "...'");
}

TEST(EntryPath, TellsWhiteoutsFromNames) {
  EXPECT_EQ(MUST(parse_whiteout("a.wh.b")).kind, Whiteout::Kind::kNone);
  EXPECT_EQ(MUST(parse_whiteout(".wh.b")).name, "b");
  EXPECT_EQ(MUST(parse_whiteout(".wh..b")).name, ".b");
  EXPECT_EQ(MUST(parse_whiteout(".wh..wh..opq")).kind, Whiteout::Kind::kOpaque);
  EXPECT_EQ(MUST(parse_whiteout(".wh..wh.plnk")).kind, Whiteout::Kind::kInternal);
  for (const char* bad : {".wh.", ".wh..", ".wh..."}) {
    EXPECT_EQ(parse_whiteout(bad).error().kind(), ErrorKind::kInvalid) << bad;
  }
}

}  // namespace
}  // namespace berth::image
