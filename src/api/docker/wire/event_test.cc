#include "api/docker/wire/event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/docker/wire/durations.h"

namespace berth::docker {
namespace {

using namespace std::chrono_literals;

engine::Event event() {
  engine::Event made;
  made.type = "container";
  made.action = "die";
  made.actor = "abcdef012345";
  made.attributes = {{"image", "busybox"}, {"name", "web"}, {"exitCode", "3"}};
  made.time = WallTime(1'700'000'000s + 5ns);
  return made;
}

bool matches(std::string_view filters, const engine::Event& subject = event()) {
  return event_matches(subject, *Filters::parse(filters));
}

TEST(Events, HaveTheFieldsOfOldAndNewClients) {
  EXPECT_EQ(
      dump_json(event_json(event())),
      R"({"status":"die","id":"abcdef012345","from":"busybox","Type":"container","Action":"die",)"
      R"("Actor":{"ID":"abcdef012345","Attributes":{"exitCode":"3","image":"busybox","name":"web"}},)"
      R"("scope":"local","time":1700000000,"timeNano":1700000000000000005})");
  engine::Event network = event();
  network.type = "network";
  EXPECT_FALSE(event_json(network).contains("status"));
}

TEST(Events, AreFiltered) {
  EXPECT_TRUE(matches(""));
  EXPECT_TRUE(matches(R"({"type":["container"]})"));
  EXPECT_FALSE(matches(R"({"type":["image"]})"));
  EXPECT_TRUE(matches(R"({"event":["start","die"]})"));
  EXPECT_FALSE(matches(R"({"event":["start"]})"));
  EXPECT_TRUE(matches(R"({"container":["web"]})"));
  EXPECT_TRUE(matches(R"({"container":["abc"]})"));
  EXPECT_FALSE(matches(R"({"container":["eb"]})"));
  EXPECT_FALSE(matches(R"({"container":[""]})"));
  EXPECT_TRUE(matches(R"({"image":["busybox"]})"));
  EXPECT_FALSE(matches(R"({"image":["alpine"]})"));
  EXPECT_TRUE(matches(R"({"label":["exitCode=3"]})"));
  EXPECT_FALSE(matches(R"({"label":["exitCode=4"]})"));
  EXPECT_FALSE(matches(R"({"network":["web"]})"));
  EXPECT_FALSE(matches(R"({"scope":["swarm"]})"));
  engine::Event health = event();
  health.action = "health_status: healthy";
  EXPECT_TRUE(matches(R"({"event":["health_status"]})", health));
  EXPECT_TRUE(check_event_filters(*Filters::parse(R"({"daemon":["x"]})")).ok());
  EXPECT_FALSE(check_event_filters(*Filters::parse(R"({"status":["x"]})")).ok());
}

engine::Event container_of(std::string image) {
  return {.type = "container",
          .action = "start",
          .actor = std::string(64, 'a'),
          .attributes = {{"image", std::move(image)}, {"name", "one"}},
          .time = now()};
}

engine::Event image_called(std::string name) {
  return {.type = "image",
          .action = "tag",
          .actor = "sha256:" + std::string(64, 'b'),
          .attributes = {{"name", std::move(name)}},
          .time = now()};
}

bool passes(const engine::Event& event, std::string_view image) {
  return event_matches(event, *Filters::parse(fmt::format(R"({{"image":["{}"]}})", image)));
}

TEST(EventFilter, AnImageWithoutATagMeansEveryTag) {
  for (const auto& make : {container_of, image_called}) {
    EXPECT_TRUE(passes(make("busybox:latest"), "busybox"));
    EXPECT_TRUE(passes(make("busybox:1.36"), "busybox"));
    EXPECT_TRUE(passes(make("busybox"), "busybox:latest"));
    EXPECT_TRUE(passes(make("busybox:1.36"), "busybox:1.36"));
    EXPECT_TRUE(passes(make("host:5000/busybox:1"), "host:5000/busybox"));
    EXPECT_TRUE(passes(make("host:5000/busybox"), "host:5000/busybox"));
    EXPECT_FALSE(passes(make("busybox:1.36"), "busybox:latest"));
    EXPECT_FALSE(passes(make("host:5000/busybox"), "host"));
    EXPECT_FALSE(passes(make("busybox:1"), "busy"));
    EXPECT_FALSE(passes(make("busybox:1"), ""));
  }
}

TEST(EventFilter, AnImageEventAnswersToItsId) {
  EXPECT_TRUE(passes(image_called("a:1"), "sha256:bbbbbbbbbbbb"));
  EXPECT_FALSE(passes(container_of("a:1"), std::string(12, 'a')));
}

TEST(Moment, IsAUnixTimeOrADate) {
  const auto moment = [](std::string_view text) { return *parse_moment("since", text); };
  EXPECT_EQ(moment(""), std::nullopt);
  EXPECT_EQ(moment("0"), std::nullopt);
  EXPECT_EQ(moment("1700000000"), WallTime(1'700'000'000s));
  EXPECT_EQ(moment("1700000000.5"), WallTime(1'700'000'000s + 500ms));
  EXPECT_EQ(moment("1700000000.123456789999"), WallTime(1'700'000'000s + 123456789ns));
  EXPECT_EQ(moment("-1"), WallTime(-1s));
  EXPECT_EQ(moment("2023-11-14T22:13:20Z"), WallTime(1'700'000'000s));
  for (const char* bad : {"x", "1x", "1.x", "1.-5", "9000000001", "99999999999999999999", "1e3",
                          " 1", "2023-11-14", "2023-99-14T22:13:20Z"}) {
    const auto parsed = parse_moment("since", bad);
    ASSERT_FALSE(parsed.ok()) << bad;
    EXPECT_EQ(parsed.error().kind(), ErrorKind::kInvalid);
    EXPECT_THAT(parsed.error().message(), ::testing::HasSubstr("\"since\""));
  }
}

TEST(Durations, ReadAsDockerWritesThem) {
  const std::pair<std::chrono::nanoseconds, const char*> rows[] = {{-5s, "Less than a second"},
                                                                   {999ms, "Less than a second"},
                                                                   {1s, "1 second"},
                                                                   {59s, "59 seconds"},
                                                                   {60s, "About a minute"},
                                                                   {119s, "About a minute"},
                                                                   {2min, "2 minutes"},
                                                                   {59min, "59 minutes"},
                                                                   {60min, "About an hour"},
                                                                   {90min, "2 hours"},
                                                                   {47h, "47 hours"},
                                                                   {48h, "2 days"},
                                                                   {24h * 13, "13 days"},
                                                                   {24h * 14, "2 weeks"},
                                                                   {24h * 59, "8 weeks"},
                                                                   {24h * 60, "2 months"},
                                                                   {24h * 729, "24 months"},
                                                                   {24h * 730, "2 years"}};
  for (const auto& [duration, text] : rows) EXPECT_EQ(human_duration(duration), text);
}

}  // namespace
}  // namespace berth::docker
