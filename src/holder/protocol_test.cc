#include "holder/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::holder {
namespace {

using testing::HasSubstr;

TEST(Protocol, StartSurvivesTheTrip) {
  Start start;
  start.id = "abc";
  start.rootfs_mounts = {{.type = "overlay", .source = "overlay", .options = {"lowerdir=/a:/b"}}};
  start.tty = true;
  start.rows = 24;
  const auto decoded = decode_engine_message(encode(EngineMessage(start)));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message();
  const auto* after = std::get_if<Start>(&*decoded);
  ASSERT_NE(after, nullptr);
  EXPECT_EQ(after->id, "abc");
  EXPECT_EQ(after->rootfs_mounts, start.rootfs_mounts);
  EXPECT_TRUE(after->tty);
  EXPECT_EQ(after->rows, 24);
}

TEST(Protocol, EarlyInputIsBytesNotText) {
  Attach attach;
  attach.early_input = std::string("\xff\x00\n", 3);
  const auto decoded = decode_engine_message(encode(EngineMessage(attach)));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(std::get<Attach>(*decoded).early_input, attach.early_input);
}

TEST(Protocol, FailureKeepsItsKind) {
  const StartFailed failed{
      .exit_code = 127, .kind = ErrorKind::kNotFound, .message = "no such file"};
  const auto decoded = decode_holder_message(encode(HolderMessage(failed)));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(std::get<StartFailed>(*decoded).kind, ErrorKind::kNotFound);
}

TEST(Protocol, HostileMessagesAreErrors) {
  for (const char* text : {"", "{", "[]", "{}", R"({"type":"fly"})", R"({"type":7})",
                           R"({"type":"start","id":[]})", R"({"type":"hello","pid":"x"})"}) {
    EXPECT_FALSE(decode_engine_message(text).ok()) << text;
    EXPECT_FALSE(decode_holder_message(text).ok()) << text;
  }
  EXPECT_THAT(decode_engine_message(R"({"type":"hello"})").error().message(),
              HasSubstr("unknown message type"));
}

TEST(Protocol, ExitRecordSurvives) {
  const Exited exited{
      .exit_code = 137, .oom_killed = true, .finished_at = "2006-01-02T15:04:05Z", .error = ""};
  const auto after = exit_record_from_json(exit_record_to_json(exited));
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(after->exit_code, 137);
  EXPECT_TRUE(after->oom_killed);
  EXPECT_EQ(exit_record_from_json("{").error().kind(), ErrorKind::kInvalid);
}

}  // namespace
}  // namespace berth::holder
