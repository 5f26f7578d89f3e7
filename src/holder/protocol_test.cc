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
  EXPECT_EQ(decoded->sequence, 0);
  const auto* after = std::get_if<Start>(&decoded->body);
  ASSERT_NE(after, nullptr);
  EXPECT_EQ(after->id, "abc");
  EXPECT_EQ(after->rootfs_mounts, start.rootfs_mounts);
  EXPECT_TRUE(after->tty);
  EXPECT_EQ(after->rows, 24);
}

TEST(Protocol, ARequestKeepsItsSequenceNumber) {
  const auto decoded = decode_engine_message(encode(CloseStdin{}, 77));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->sequence, 77);
  EXPECT_TRUE(std::holds_alternative<CloseStdin>(decoded->body));
}

TEST(Protocol, EarlyInputIsBytesNotText) {
  Attach attach;
  attach.early_input = std::string("\xff\x00\n", 3);
  const auto decoded = decode_engine_message(encode(EngineMessage(attach)));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(std::get<Attach>(decoded->body).early_input, attach.early_input);
}

TEST(Protocol, TheLargestEarlyInputFitsAMessage) {
  Attach attach;
  attach.early_input.assign(kMaxEarlyInput, '\xff');
  const std::string text = encode(EngineMessage(attach));
  EXPECT_LE(text.size(), kMaxMessage);
  EXPECT_TRUE(decode_engine_message(text).ok());
  attach.early_input += 'x';
  EXPECT_EQ(decode_engine_message(encode(EngineMessage(attach))).error().kind(),
            ErrorKind::kExhausted);
}

TEST(Protocol, FailureKeepsItsKind) {
  const StartFailed failed{
      .exit_code = 127, .kind = ErrorKind::kNotFound, .message = "no such file"};
  const auto decoded = decode_holder_message(encode(HolderMessage(failed)));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(std::get<StartFailed>(*decoded).kind, ErrorKind::kNotFound);
}

TEST(Protocol, AReplySaysWhatWentWrong) {
  const Reply reply{.sequence = 9, .ok = false, .kind = ErrorKind::kConflict, .message = "no"};
  const auto decoded = decode_holder_message(encode(HolderMessage(reply)));
  ASSERT_TRUE(decoded.ok());
  const auto& after = std::get<Reply>(*decoded);
  EXPECT_EQ(after.sequence, 9);
  EXPECT_FALSE(after.ok);
  EXPECT_EQ(after.kind, ErrorKind::kConflict);
}

TEST(Protocol, UnknownMembersAreIgnored) {
  EXPECT_TRUE(decode_engine_message(R"({"type":"status","later":[1]})").ok());
  EXPECT_TRUE(decode_holder_message(R"({"type":"hello","later":{}})").ok());
}

TEST(Protocol, HostileMessagesAreErrors) {
  for (const char* text :
       {"", "{", "[]", "{}", "7", "null", R"({"type":"fly"})", R"({"type":7})",
        R"({"type":"start","id":[]})", R"({"type":"hello","pid":"x"})",
        R"({"type":"start","rootfs_mounts":[7]})", R"({"type":"resize","rows":65536})",
        R"({"type":"resize","rows":-1})", R"({"type":"signal","number":4294967305})",
        R"({"type":"signal","number":1.5})", R"({"type":"attach","early_input":"f"})",
        R"({"type":"attach","early_input":"zz"})", R"({"type":"status","sequence":-1})",
        R"({"type":"status","sequence":18446744073709551615})"}) {
    EXPECT_FALSE(decode_engine_message(text).ok()) << text;
    EXPECT_FALSE(decode_holder_message(text).ok()) << text;
  }
  EXPECT_THAT(decode_engine_message(R"({"type":"hello"})").error().message(),
              HasSubstr("unknown message type"));
}

TEST(Protocol, AMessageOverTheCapIsRefused) {
  const std::string text = R"({"type":"status","pad":")" + std::string(kMaxMessage, 'x') + "\"}";
  EXPECT_EQ(decode_engine_message(text).error().kind(), ErrorKind::kExhausted);
}

TEST(ExitRecord, Survives) {
  const Exited exited{.exit_code = 137,
                      .oom_killed = true,
                      .finished_at = "2006-01-02T15:04:05Z",
                      .error = "",
                      .dropped_log_records = 3};
  const auto after = exit_record_from_json(exit_record_to_json(exited));
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(after->exit_code, 137);
  EXPECT_TRUE(after->oom_killed);
  EXPECT_EQ(after->finished_at, exited.finished_at);
  EXPECT_EQ(after->dropped_log_records, 3);
}

TEST(ExitRecord, DamageIsCorrupt) {
  for (const char* text :
       {"", "{", "[]", "{}", R"({"exit_code":"x"})", R"({"oom_killed":true})",
        // As an int it would be 0: a workload that ended well.
        R"({"exit_code":4294967296})", R"({"exit_code":-1})", R"({"exit_code":1.5})",
        R"({"exit_code":true})", R"({"exit_code":null})",
        R"({"exit_code":0,"dropped_log_records":-1})", R"({"exit_code":0,"error":7})"})
    EXPECT_EQ(exit_record_from_json(text).error().kind(), ErrorKind::kCorrupt) << text;
}

TEST(StartedRecord, Survives) {
  const StartedRecord record{.pid = 7,
                             .pid_start = "123456789012",
                             .holder_pid = 6,
                             .holder_start = "1",
                             .started_at = "2006-01-02T15:04:05Z",
                             .cgroups = {"/sys/fs/cgroup/x"}};
  const auto after = started_record_from_json(started_record_to_json(record));
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(after->pid, 7);
  EXPECT_EQ(after->pid_start, record.pid_start);
  EXPECT_EQ(after->cgroups, record.cgroups);
}

TEST(StartedRecord, DamageIsCorrupt) {
  for (const char* text : {"[]", "", R"({"pid":"7"})", R"({"pid":-1})", R"({"pid":4294967303})",
                           R"({"pid":7,"holder_pid":4294967302})", R"({"pid":7,"cgroups":"x"})"})
    EXPECT_EQ(started_record_from_json(text).error().kind(), ErrorKind::kCorrupt) << text;
}

}  // namespace
}  // namespace berth::holder
