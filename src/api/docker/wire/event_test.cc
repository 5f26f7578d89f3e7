#include "api/docker/wire/event.h"

#include <gtest/gtest.h>

namespace berth::docker {
namespace {

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

}  // namespace
}  // namespace berth::docker
