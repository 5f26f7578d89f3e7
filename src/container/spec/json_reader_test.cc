#include "container/spec/json_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/json.h"
#include "container/spec/json_writer.h"
#include "container/spec/spec.h"

namespace berth::container {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();

std::string text_of(std::string_view json) {
  JsonReader reader(json);
  std::string value;
  reader.read(value);
  reader.finish();
  return reader.ok() ? value : "error: " + reader.error().message();
}

// Whether the whole text is one value to this reader.
bool accepts(std::string_view json) {
  JsonReader reader(json);
  reader.skip();
  reader.finish();
  return reader.ok();
}

TEST(JsonReader, ReadsStringsWithTheirEscapes) {
  EXPECT_EQ(text_of(R"( "a\"\\\/\b\f\n\r\tz" )"), "a\"\\/\b\f\n\r\tz");
  EXPECT_EQ(text_of(R"("\u0041\u00e9\u20AC\ud83d\ude00")"),
            "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
  EXPECT_EQ(text_of("\"\xF0\x9F\x98\x80\""), "\xF0\x9F\x98\x80");
  EXPECT_EQ(text_of("\"\x7F\""), "\x7F");
}

TEST(JsonReader, RefusesStringsThatAreNone) {
  const std::pair<const char*, const char*> rows[] = {
      {R"(")", "a string without end"},
      {R"("\)", "an unknown escape"},
      {R"("\x")", "an unknown escape"},
      {R"("\u12)", "four hexadecimal digits"},
      {R"("\u12g4")", "four hexadecimal digits"},
      {R"("\u-123")", "four hexadecimal digits"},
      {R"("\ud83d")", "a lone surrogate"},
      {R"("\ud83d\n")", "a lone surrogate"},
      {R"("\ud83dA")", "a lone surrogate"},
      {R"("\ude00")", "a lone surrogate"},
      {"\"a\nb\"", "a control character"},
      {"\"\xC0\x80\"", "not UTF-8"},
      {"\"\xED\xA0\x80\"", "not UTF-8"},
      {"\"\xF4\x90\x80\x80\"", "not UTF-8"},
      {"\"\xE2\x82\"", "not UTF-8"},
      {R"("a\u0000b")", "free of NUL"},
      {"7", "must be a string"},
      {"", "must be a string"},
  };
  for (const auto& [json, says] : rows) EXPECT_THAT(text_of(json), HasSubstr(says)) << json;
}

TEST(JsonReader, KnowsUtf8) {
  EXPECT_EQ(utf8_length(""), 0U);
  EXPECT_EQ(utf8_length("a\xFF"), 1U);
  EXPECT_EQ(utf8_length(std::string_view("\0", 1)), 1U);
  EXPECT_EQ(utf8_length("\xC2\x80"), 2U);
  EXPECT_EQ(utf8_length("\xDF\xBF"), 2U);
  EXPECT_EQ(utf8_length("\xE0\xA0\x80"), 3U);
  EXPECT_EQ(utf8_length("\xED\x9F\xBF"), 3U);
  EXPECT_EQ(utf8_length("\xEE\x80\x80"), 3U);
  EXPECT_EQ(utf8_length("\xF0\x90\x80\x80"), 4U);
  EXPECT_EQ(utf8_length("\xF4\x8F\xBF\xBF"), 4U);
  for (const char* bad : {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x41",
                          "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE2\x82", "\xF0\x8F\xBF\xBF",
                          "\xF4\x90\x80\x80", "\xF0\x9F\x98", "\xF5\x80\x80\x80", "\xFE", "\xFF"})
    EXPECT_EQ(utf8_length(bad), 0U) << bad;
}

TEST(JsonReader, ReadsWholeNumbersWithinTheirRange) {
  const auto read = [](std::string_view json, std::int64_t lowest,
                       std::int64_t highest) -> std::optional<std::int64_t> {
    JsonReader reader(json);
    std::int64_t value = 0;
    if (!reader.read_int(value, lowest, highest)) return std::nullopt;
    reader.finish();
    return reader.ok() ? std::optional(value) : std::nullopt;
  };
  EXPECT_EQ(read("0", 0, 0), 0);
  EXPECT_EQ(read("-0", 0, 0), 0);
  EXPECT_EQ(read("9223372036854775807", kLowest, kHighest), kHighest);
  EXPECT_EQ(read("-9223372036854775808", kLowest, kHighest), kLowest);
  for (const char* bad : {"9223372036854775808", "-9223372036854775809", "1e2", "1.0", "01", "+1",
                          "-", "", "0x10", "1 2", "\"1\"", "null", "true", ".5", "1."})
    EXPECT_EQ(read(bad, kLowest, kHighest), std::nullopt) << bad;
  EXPECT_EQ(read("5", 0, 4), std::nullopt);
  EXPECT_EQ(read("-1", 0, 4), std::nullopt);
}

TEST(JsonReader, ReadsUnsignedNumbersOf64Bits) {
  const auto read = [](std::string_view json, std::uint64_t highest) {
    JsonReader reader(json);
    std::uint64_t value = 0;
    return reader.read_uint(value, highest) ? std::optional(value) : std::nullopt;
  };
  EXPECT_EQ(read("18446744073709551615", ~std::uint64_t{0}), ~std::uint64_t{0});
  EXPECT_EQ(read("18446744073709551616", ~std::uint64_t{0}), std::nullopt);
  EXPECT_EQ(read("-1", ~std::uint64_t{0}), std::nullopt);
  EXPECT_EQ(read("8", 7), std::nullopt);
}

TEST(JsonReader, ReadsBooleansAndNulls) {
  bool value = false;
  EXPECT_TRUE(JsonReader("true").read(value));
  EXPECT_TRUE(value);
  EXPECT_TRUE(JsonReader(" false").read(value));
  EXPECT_FALSE(value);
  for (const char* bad : {"True", "1", "tru", "", "\"true\""})
    EXPECT_FALSE(JsonReader(bad).read(value)) << bad;
  EXPECT_TRUE(JsonReader(" null").skip_null());
  EXPECT_FALSE(JsonReader("nul").skip_null());
  EXPECT_FALSE(JsonReader("0").skip_null());
}

TEST(JsonReader, WalksObjectsAndListsInTheOrderOfTheText) {
  JsonReader reader(R"({ "a" : [ 1 , 2 ] , "b" : { } , "c" : [ ] })");
  std::string key, seen;
  ASSERT_TRUE(reader.begin_object());
  while (reader.next_key(key)) {
    seen += key;
    if (key == "a" || key == "c") {
      ASSERT_TRUE(reader.begin_array());
      std::int64_t item = 0;
      while (reader.next_item() && reader.read_int(item, 0, 9)) seen += std::to_string(item);
    } else {
      ASSERT_TRUE(reader.begin_object());
      EXPECT_FALSE(reader.next_key(key));
    }
  }
  reader.finish();
  EXPECT_TRUE(reader.ok()) << reader.error().message();
  EXPECT_EQ(seen, "a12bc");
}

TEST(JsonReader, SkippingReturnsTheTextOfTheValue) {
  JsonReader reader(R"({"x": {"y":[1,"]"]} , "z":-1.5e+3})");
  std::string key;
  ASSERT_TRUE(reader.begin_object());
  ASSERT_TRUE(reader.next_key(key));
  EXPECT_EQ(reader.skip(), R"({"y":[1,"]"]})");
  ASSERT_TRUE(reader.next_key(key));
  EXPECT_EQ(reader.skip(), "-1.5e+3");
  EXPECT_FALSE(reader.next_key(key));
  EXPECT_TRUE(reader.ok());
}

TEST(JsonReader, AfterAnErrorEveryCallFailsAndTheFirstErrorStays) {
  JsonReader reader("{\n \"a\" 1}");
  std::string key, text;
  bool flag = false;
  std::int64_t number = 0;
  ASSERT_TRUE(reader.begin_object());
  EXPECT_FALSE(reader.next_key(key));
  EXPECT_FALSE(reader.ok());
  const std::string first = reader.error().message();
  EXPECT_THAT(first, HasSubstr("':' expected at line 2, column 6"));
  EXPECT_FALSE(reader.next_key(key));
  EXPECT_FALSE(reader.next_item());
  EXPECT_FALSE(reader.begin_object());
  EXPECT_FALSE(reader.begin_array());
  EXPECT_FALSE(reader.read(text));
  EXPECT_FALSE(reader.read(flag));
  EXPECT_FALSE(reader.read_int(number, 0, 9));
  EXPECT_FALSE(reader.skip_null());
  reader.skip();
  reader.finish();
  reader.fail_value("something else");
  EXPECT_EQ(reader.error().message(), first);
}

TEST(JsonReader, AnErrorNamesThePlace) {
  JsonReader reader("7");
  reader.enter("linux");
  reader.enter("devices");
  reader.enter(std::size_t{2});
  reader.enter("path");
  EXPECT_EQ(reader.path(), "linux.devices[2].path");
  std::string text;
  EXPECT_FALSE(reader.read(text));
  EXPECT_EQ(reader.error().message(), "linux.devices[2].path must be a string");
  EXPECT_EQ(reader.error().kind(), ErrorKind::kInvalid);
}

TEST(JsonReader, DepthIsCappedForReadersAndForWhatIsSkipped) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(accepts(nested(kMaxJsonDepth)));
  EXPECT_FALSE(accepts(nested(kMaxJsonDepth + 1)));
  EXPECT_FALSE(accepts(std::string(1'000'000, '[')));
  const std::string too_deep = nested(kMaxJsonDepth + 1);
  JsonReader reader(too_deep);
  std::size_t depth = 0;
  while (reader.begin_array() && reader.next_item()) ++depth;
  EXPECT_THAT(reader.error().message(), HasSubstr("nested too deep"));
  EXPECT_EQ(depth, kMaxJsonDepth);
}

// What one of the two readers takes for JSON, the other does: bodies of the API and config.json
// mean the same.
TEST(JsonReader, AgreesWithTheReaderThatMakesATree) {
  const std::string texts[] = {
      "",
      " ",
      "null",
      "nullx",
      "nul",
      "true",
      "truefalse",
      "0",
      "-0",
      "-",
      "01",
      "1.5",
      "1.",
      ".5",
      "1e5",
      "1e",
      "1e+",
      "1E-2",
      "+1",
      "--1",
      "0x1",
      "Infinity",
      "NaN",
      "\"a\"",
      "\"a",
      "'a'",
      "\"\\u0041\"",
      "\"\\u004\"",
      "\"\\ud83d\\ude00\"",
      "\"\\ud83d\"",
      "\"\\ude00\"",
      "\"\\v\"",
      "\"\t\"",
      "\"\x7F\"",
      "\"\xC3\xA9\"",
      "\"\xC3\"",
      "\"\xC0\xAF\"",
      "\"\xED\xA0\x80\"",
      "\"\xF4\x8F\xBF\xBF\"",
      "\"\xF5\x80\x80\x80\"",
      "[]",
      "[,]",
      "[1,]",
      "[1 2]",
      "[1,2]",
      "[1,2",
      "[1]]",
      "{}",
      "{,}",
      "{\"a\":1,}",
      "{\"a\":1}",
      "{\"a\" 1}",
      "{\"a\":}",
      "{a:1}",
      "{1:1}",
      "{\"a\":1 \"b\":2}",
      "{\"a\":1,\"a\":2}",
      "{\"a\":{\"b\":[{}]}}",
      "{\"a\":1}}",
      "[1}",
      "\f1",
      "\xC2\xA0"
      "1",
      "// c\n1",
      "1 // c",
      "1,",
      std::string("1\0", 2),
      std::string("\"\0\"", 3),
      "\t\r\n 1 \t\r\n",
      "[\"\\\"]",
      std::string(64, '[') + std::string(64, ']'),
      std::string(65, '[') + std::string(65, ']'),
      std::string(64, '['),
  };
  for (const std::string& text : texts) EXPECT_EQ(accepts(text), parse_json(text).ok()) << text;
}

TEST(JsonReader, TextsInMapsHoldNoNulInNamesEither) {
  const auto spec =
      parse_spec(R"({"ociVersion":"1.0","linux":{"sysctl":{"net.ipv4.ip_forward\u0000x":"1"}}})");
  ASSERT_FALSE(spec.ok());
  EXPECT_THAT(spec.error().message(), HasSubstr("linux.sysctl"));
  EXPECT_THAT(spec.error().message(), HasSubstr("free of NUL"));
}

TEST(JsonWriter, WritesWhatTheReaderReads) {
  JsonWriter out;
  out.begin_object();
  out.key("a\"b");
  out.write(std::string_view("x\\\n\x01\xC3\xA9\xFF\0y", 9));
  out.key("list");
  out.begin_array();
  out.write(std::numeric_limits<std::int64_t>::min());
  out.write(std::numeric_limits<std::uint64_t>::max());
  out.write(true);
  out.begin_object();
  out.end_object();
  out.begin_array();
  out.end_array();
  out.end_array();
  out.end_object();
  EXPECT_EQ(out.take(),
            "{\"a\\\"b\":\"x\\\\\\u000a\\u0001\xC3\xA9\xEF\xBF\xBD\\u0000y\","
            "\"list\":[-9223372036854775808,18446744073709551615,true,{},[]]}");
}

TEST(JsonWriter, IndentsTheContentOfWhatIsNotEmpty) {
  JsonWriter out(2);
  out.begin_object();
  out.key("a");
  out.begin_array();
  out.write(1);
  out.write(2);
  out.end_array();
  out.key("b");
  out.begin_object();
  out.end_object();
  out.end_object();
  EXPECT_EQ(out.take(), "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}");
}

}  // namespace
}  // namespace berth::container
