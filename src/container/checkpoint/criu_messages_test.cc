// criu's messages: the numbers of its rpc.proto, and answers that are none.
#include "container/checkpoint/criu_messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "container/checkpoint/protobuf.h"

namespace berth::container {
namespace {

using namespace std::string_view_literals;
using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

std::multimap<std::uint32_t, std::string> fields_of(std::string_view bytes) {
  std::multimap<std::uint32_t, std::string> fields;
  ProtobufReader reader(bytes);
  while (reader.next())
    fields.emplace(reader.field(), reader.is_bytes() ? std::string(reader.bytes())
                                                     : fmt::format("{}", reader.number()));
  EXPECT_TRUE(reader.ok());
  return fields;
}

TEST(CriuMessages, WhatIsNotSetIsNotSent) {
  EXPECT_EQ(encode(CriuOptions{}), "");
  EXPECT_THAT(fields_of(encode_request(CriuVerb::kVersion, nullptr, true)),
              UnorderedElementsAre(Pair(1, "10"), Pair(4, "1")));
}

TEST(CriuMessages, OptionsHaveTheNumbersOfTheirFields) {
  CriuOptions options;
  options.images_fd = 5;
  options.work_fd = 6;
  options.pid = 77;
  options.log_level = 4;
  options.log_file = "dump.log";
  options.root = "/r";
  options.parent_images = "../p";
  options.freeze_cgroup = "/f";
  options.config_file = "/c";
  options.lsm_profile = "apparmor:x";
  options.lsm_mount_context = "y";
  options.cgroup_mode = CriuCgroupMode::kIgnore;
  options.empty_namespaces = 0x40000000;
  options.external = {"mnt[/a]:/a", "net[1]:extRootNetNS"};
  EXPECT_THAT(fields_of(encode(options)),
              UnorderedElementsAre(Pair(1, "5"), Pair(2, "77"), Pair(9, "4"), Pair(10, "dump.log"),
                                   Pair(13, "/r"), Pair(14, "../p"), Pair(17, "6"), Pair(34, "0"),
                                   Pair(37, "mnt[/a]:/a"), Pair(37, "net[1]:extRootNetNS"),
                                   Pair(38, "1073741824"), Pair(44, "/f"), Pair(51, "/c"),
                                   Pair(53, "apparmor:x"), Pair(63, "y")));
}

TEST(CriuMessages, EachFlagHasItsNumber) {
  struct Row {
    bool CriuOptions::* flag;
    std::uint32_t field;
  };
  for (const Row& row : {Row{&CriuOptions::leave_running, 3},
                         {&CriuOptions::external_unix_sockets, 4},
                         {&CriuOptions::tcp_established, 5},
                         {&CriuOptions::evasive_devices, 6},
                         {&CriuOptions::shell_job, 7},
                         {&CriuOptions::file_locks, 8},
                         {&CriuOptions::notify_scripts, 12},
                         {&CriuOptions::track_memory, 15},
                         {&CriuOptions::auto_dedup, 16},
                         {&CriuOptions::link_remap, 18},
                         {&CriuOptions::manage_cgroups, 24},
                         {&CriuOptions::restore_sibling, 26},
                         {&CriuOptions::tcp_skip_in_flight, 46},
                         {&CriuOptions::lazy_pages, 48},
                         {&CriuOptions::orphan_pts_master, 50}}) {
    CriuOptions options;
    options.*row.flag = true;
    EXPECT_THAT(fields_of(encode(options)), ElementsAre(Pair(row.field, "1")));
  }
}

TEST(CriuMessages, PairsAreMessagesOfTheirOwn) {
  CriuOptions options;
  options.page_server = CriuPageServer{.address = "::1", .port = 9000};
  options.cgroup_roots = {{"memory", "/berth/c"}, {"", "/"}};
  options.inherited_fds = {{"pipe:[7]", 1}};
  options.joined_namespaces = {{"uts", "/n"}};
  const auto fields = fields_of(encode(options));
  ASSERT_EQ(fields.size(), 5U);
  EXPECT_THAT(fields_of(fields.find(11)->second), ElementsAre(Pair(1, "::1"), Pair(2, "9000")));
  EXPECT_THAT(fields_of(fields.find(25)->second),
              ElementsAre(Pair(1, "memory"), Pair(2, "/berth/c")));
  EXPECT_THAT(fields_of(std::next(fields.find(25))->second),
              ElementsAre(Pair(1, ""), Pair(2, "/")));
  EXPECT_THAT(fields_of(fields.find(27)->second), ElementsAre(Pair(1, "pipe:[7]"), Pair(2, "1")));
  EXPECT_THAT(fields_of(fields.find(39)->second), ElementsAre(Pair(1, "uts"), Pair(2, "/n")));
}

TEST(CriuMessages, RequestsAndReplies) {
  CriuOptions options;
  options.pid = 9;
  EXPECT_EQ(encode_request(CriuVerb::kDump, &options), "\x08\x01\x12\x02\x10\x09"sv);
  EXPECT_EQ(encode_notify_reply(true), "\x08\x06\x18\x01"sv);
  EXPECT_EQ(encode_notify_reply(false), "\x08\x06\x18\x00"sv);
  EXPECT_EQ(encode_feature_check({.memory_tracking = true, .lazy_pages = false}),
            "\x08\x09\x20\x01\x2a\x02\x08\x01"sv);
}

TEST(CriuMessages, AnAnswerIsReadWhole) {
  ProtobufWriter notify;
  notify.bytes(1, "post-restore");
  notify.number(2, 4711);
  ProtobufWriter version;
  version.number(1, 3);
  version.number(2, 17);
  version.number(4, 1);
  ProtobufWriter features;
  features.flag(1, true);
  ProtobufWriter out;
  out.number(1, 6);
  out.flag(2, true);
  out.bytes(5, notify.take());
  out.number(7, -17);
  out.bytes(8, features.take());
  out.bytes(9, "no");
  out.bytes(10, version.take());
  out.bytes(99, "from a later version");
  const auto response = decode_response(out.take());
  ASSERT_TRUE(response.ok()) << response.error().message();
  EXPECT_EQ(response->type, 6U);
  EXPECT_TRUE(response->success);
  EXPECT_EQ(response->script, "post-restore");
  EXPECT_EQ(response->pid, 4711);
  EXPECT_EQ(response->error, -17);
  EXPECT_EQ(response->message, "no");
  EXPECT_EQ(response->version, 31701);
  EXPECT_TRUE(response->features.memory_tracking);
  EXPECT_FALSE(response->features.lazy_pages);
}

TEST(CriuMessages, WhatIsNoAnswerIsCorrupt) {
  for (const std::string_view bytes :
       {""sv, "\x08\x06"sv, "\x10\x01"sv, "\x08\x06\x10"sv, "\x0a\x01x\x10\x01"sv,
        "\x08\x06\x12\x01x"sv, "\x08\x06\x10\x01\x2a\x02\x0a"sv,
        "\x08\x06\x10\x01\x2a\x02\x0a\x05"sv, "\x08\x0a\x10\x01\x52\x03\x08\xff\x01"sv,
        "\x08\x06\x10\x01\x2a\xff\xff\xff\xff\x0f"sv}) {
    const auto response = decode_response(bytes);
    ASSERT_FALSE(response.ok()) << testing::PrintToString(bytes);
    EXPECT_EQ(response.error().kind(), ErrorKind::kCorrupt);
  }
}

}  // namespace
}  // namespace berth::container
