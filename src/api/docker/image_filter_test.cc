#include "api/docker/image_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::docker {
namespace {

using namespace std::chrono_literals;
using image::Image;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<Image> images() {
  std::vector<Image> list(3);
  list[0].id = "sha256:aaa";
  list[0].repo_tags = {"old:1"};
  list[0].created = WallTime(100s);
  list[1].id = "sha256:bbb";
  list[1].repo_tags = {"busybox:latest", "reg.test:5000/busybox:2"};
  list[1].created = WallTime(200s);
  list[1].config.labels = {{"a", "b"}};
  list[2].id = "sha256:ccc";
  list[2].created = WallTime(300s);
  return list;
}

std::vector<std::string> ids(std::string_view filters) {
  const auto selected = select_images(images(), *Filters::parse(filters));
  if (!selected.ok()) return {"error: " + selected.error().message()};
  std::vector<std::string> list;
  for (const Image& image : *selected) list.push_back(image.id.substr(7));
  return list;
}

TEST(ReferencePattern, FitsANameWithOrWithoutItsTag) {
  EXPECT_TRUE(reference_matches("busybox", "busybox:latest"));
  EXPECT_TRUE(reference_matches("busy*", "busybox:latest"));
  EXPECT_TRUE(reference_matches("*:latest", "busybox:latest"));
  EXPECT_TRUE(reference_matches("reg.test:5000/a", "reg.test:5000/a:1"));
  EXPECT_TRUE(reference_matches("*/a", "reg.test:5000/a:1"));
  EXPECT_TRUE(reference_matches("a", "a@sha256:0123"));
  EXPECT_FALSE(reference_matches("busy", "busybox:latest"));
  EXPECT_FALSE(reference_matches("*", "reg.test:5000/a:1")) << "a star stops at a slash";
  EXPECT_FALSE(reference_matches("", "busybox:latest"));
}

TEST(ImageList, IsSortedFromTheNewest) {
  EXPECT_THAT(ids(""), ElementsAre("ccc", "bbb", "aaa"));
}

TEST(ImageList, IsFiltered) {
  EXPECT_THAT(ids(R"({"dangling":["true"]})"), ElementsAre("ccc"));
  EXPECT_THAT(ids(R"({"dangling":["false"]})"), ElementsAre("bbb", "aaa"));
  EXPECT_THAT(ids(R"({"label":["a=b"]})"), ElementsAre("bbb"));
  EXPECT_THAT(ids(R"({"before":["busybox"]})"), ElementsAre("aaa"));
  EXPECT_THAT(ids(R"({"since":["aa"]})"), ElementsAre("ccc", "bbb"));
  EXPECT_THAT(ids(R"({"until":["150"]})"), ElementsAre("aaa"));
  EXPECT_THAT(ids(R"({"reference":["old","nothing"]})"), ElementsAre("aaa"));
  EXPECT_THAT(ids(R"({"reference":[]})"), ElementsAre("ccc", "bbb", "aaa"));
}

TEST(ImageList, KeepsTheNamesThatFitAlone) {
  const auto selected =
      select_images(images(), *Filters::parse(R"({"reference":["reg.test:5000/*"]})"));
  ASSERT_TRUE(selected.ok());
  ASSERT_EQ(selected->size(), 1U);
  EXPECT_THAT((*selected)[0].repo_tags, ElementsAre("reg.test:5000/busybox:2"));
}

TEST(ImageList, AFilterThatIsUnknownOrWrongIsTold) {
  EXPECT_THAT(ids(R"({"colour":["red"]})"), ElementsAre(HasSubstr("'colour'")));
  EXPECT_THAT(ids(R"({"dangling":["perhaps"]})"), ElementsAre(HasSubstr("'dangling'")));
  EXPECT_THAT(ids(R"({"before":["nothing"]})"), ElementsAre(HasSubstr("No such image: nothing")));
  EXPECT_THAT(ids(R"({"until":["soon"]})"), ElementsAre(HasSubstr("until")));
}

}  // namespace
}  // namespace berth::docker
