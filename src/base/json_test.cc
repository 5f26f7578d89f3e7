#include "base/json.h"

#include <gtest/gtest.h>

namespace berth {
namespace {

Json parsed(std::string_view text) {
  return MUST(parse_json(text));  // the tests pass JSON
}

TEST(Json, SaysWhereTheTextGoesWrong) {
  const auto bad = parse_json("{\"a\":\n1,}");
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().kind(), ErrorKind::kInvalid);
  EXPECT_NE(bad.error().message().find("line 2"), std::string::npos) << bad.error().message();
}

// The library would take it for the end, and what follows would be seen by nobody.
TEST(Json, ANullByteEndsNoText) {
  using namespace std::string_view_literals;
  for (const auto text : {"1\0"sv, "{}\0{"sv, "\0"sv, "[1,\0]"sv, "\"\0\""sv})
    EXPECT_EQ(parse_json(text).error().kind(), ErrorKind::kInvalid);
}

TEST(Json, CapsSizeAndDepth) {
  EXPECT_EQ(parse_json("[1,2,3]", 6).error().kind(), ErrorKind::kExhausted);
  EXPECT_EQ(parse_json("[1e999]").error().kind(), ErrorKind::kExhausted);
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(parse_json(nested(kMaxJsonDepth)).ok());
  EXPECT_EQ(parse_json(nested(kMaxJsonDepth + 1)).error().kind(), ErrorKind::kExhausted);
  EXPECT_EQ(parse_json(std::string(1U << 20, '[')).error().kind(), ErrorKind::kExhausted);
}

TEST(Json, BracketsInStringsAreNotDepth) {
  EXPECT_TRUE(parse_json("\"" + std::string(1000, '[') + "\"").ok());
  EXPECT_TRUE(parse_json("\"\\\"" + std::string(1000, '{') + "\"").ok());
}

TEST(Json, AbsentAndNullMembersYieldTheFallback) {
  for (const char* text : {"{}", R"({"k":null})", "[]", "1"}) {
    const Json json = parsed(text);
    EXPECT_EQ(*get_string(json, "k", "d"), "d");
    EXPECT_EQ(*get_bool(json, "k", true), true);
    EXPECT_EQ(*get_int(json, "k", 7), 7);
    EXPECT_EQ(*get_optional_int(json, "k"), std::nullopt);
    EXPECT_TRUE(get_strings(json, "k")->empty());
    EXPECT_TRUE(get_string_map(json, "k")->empty());
  }
}

TEST(Json, ReadsMembersOfTheRightType) {
  const Json json =
      parsed(R"({"s":"x","b":true,"i":-9223372036854775808,"l":["a","b"],"m":{"k":"v"}})");
  EXPECT_EQ(*get_string(json, "s"), "x");
  EXPECT_TRUE(*get_bool(json, "b"));
  EXPECT_EQ(*get_int(json, "i"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(*get_strings(json, "l"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(get_string_map(json, "m")->at("k"), "v");
}

TEST(Json, AWrongTypeNamesTheMember) {
  const Json json = parsed(R"({"s":1,"b":"true","i":1.5,"l":["a",1],"m":{"k":1}})");
  EXPECT_EQ(get_string(json, "s").error().message(), "'s' must be a string, not number");
  EXPECT_EQ(get_bool(json, "b").error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(get_int(json, "i").error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(get_strings(json, "l").error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(get_string_map(json, "m").error().kind(), ErrorKind::kInvalid);
}

TEST(Json, AnIntegerOver64BitsIsRefused) {
  EXPECT_EQ(get_int(parsed(R"({"i":9223372036854775808})"), "i").error().kind(),
            ErrorKind::kInvalid);
  EXPECT_EQ(get_int(parsed(R"({"i":99999999999999999999})"), "i").error().kind(),
            ErrorKind::kInvalid);
}

TEST(Json, DumpReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(dump_json(Json("a\xff")), "\"a\xEF\xBF\xBD\"");
}

TEST(Json, OrderedJsonKeepsTheOrderOfKeys) {
  OrderedJson json;
  json["z"] = 1;
  json["a"] = 2;
  EXPECT_EQ(dump_json(json), R"({"z":1,"a":2})");
}

}  // namespace
}  // namespace berth
