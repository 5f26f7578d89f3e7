#include "holder/log_record.h"

#include <gtest/gtest.h>

namespace berth::holder {
namespace {

constexpr std::string_view kTime = "2006-01-02T15:04:05.999999999Z";

std::string record(std::string_view text) {
  std::string out;
  append_log_record(out, text, false, StreamKind::kStdout, kTime);
  return out;
}

std::string escaped(std::string_view text) {
  const std::string out = record(text);
  const std::size_t begin = std::string_view(R"({"log":")").size();
  return out.substr(begin, out.find(R"(","stream")") - begin);
}

TEST(LogRecord, LooksAsDockerWritesIt) {
  std::string out;
  append_log_record(out, "hello", true, StreamKind::kStderr, kTime);
  EXPECT_EQ(
      out,
      "{\"log\":\"hello\\n\",\"stream\":\"stderr\",\"time\":\"2006-01-02T15:04:05.999999999Z\"}"
      "\n");
}

TEST(LogRecord, EscapesWhatGoEscapes) {
  EXPECT_EQ(escaped("a\"b\\c"), R"(a\"b\\c)");
  EXPECT_EQ(escaped("<&>"), R"(\u003c\u0026\u003e)");
  EXPECT_EQ(escaped("\t\r\n\x1b[0m\x7f"), "\\u0009\\r\\n\\u001b[0m\x7f");
  EXPECT_EQ(escaped(std::string_view("\0", 1)), R"(\u0000)");
}

TEST(LogRecord, KeepsUtf8AndReplacesWhatIsNot) {
  EXPECT_EQ(escaped("h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9a\xa2"),
            "h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9a\xa2");
  EXPECT_EQ(escaped("\xff"
                    "a"),
            R"(\ufffda)");
  EXPECT_EQ(escaped("\xe2\x82"), R"(\ufffd\ufffd)");
  EXPECT_EQ(escaped("\xc0\xaf"), R"(\ufffd\ufffd)");                      // overlong
  EXPECT_EQ(escaped("\xed\xa0\x80"), R"(\ufffd\ufffd\ufffd)");            // surrogate
  EXPECT_EQ(escaped("\xf4\x90\x80\x80"), R"(\ufffd\ufffd\ufffd\ufffd)");  // beyond U+10FFFF
  EXPECT_EQ(escaped("\xe2\x80\xa8\xe2\x80\xa9"), R"(\u2028\u2029)");
}

TEST(LogRecord, SurvivesTheTrip) {
  std::string text;
  for (int byte = 1; byte < 128; ++byte) text += static_cast<char>(byte);
  std::string line = record(text);
  line.pop_back();
  const auto parsed = parse_log_record(line);
  ASSERT_TRUE(parsed.ok()) << parsed.error().message();
  EXPECT_EQ(parsed->text, text);
  EXPECT_EQ(parsed->stream, StreamKind::kStdout);
  EXPECT_EQ(format_rfc3339(parsed->time), kTime);
}

TEST(LogRecord, TheLongestFitsItsCap) {
  EXPECT_LE(record(std::string(kMaxLogPiece, '\xff')).size(), kMaxLogRecord);
}

TEST(LogRecord, DamageIsCorrupt) {
  for (const char* line :
       {"", "{", "[]", "{}", R"({"log":7,"stream":"stdout","time":"x"})",
        R"({"log":"a","stream":"stdout","time":"yesterday"})", R"({"log":"a","stream":"stdo)"})
    EXPECT_EQ(parse_log_record(line).error().kind(), ErrorKind::kCorrupt) << line;
}

}  // namespace
}  // namespace berth::holder
