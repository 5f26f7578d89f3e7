#include "api/docker/filters.h"

#include <gtest/gtest.h>

namespace berth::docker {
namespace {

TEST(Filters, BothFormsMeanTheSame) {
  for (const char* text : {R"({"status":["running","exited"]})",
                           R"({"status":{"running":true,"exited":true,"dead":false}})"}) {
    const auto filters = Filters::parse(text);
    ASSERT_TRUE(filters.ok()) << text;
    EXPECT_TRUE(filters->matches("status", "running"));
    EXPECT_TRUE(filters->matches("status", "exited"));
    EXPECT_FALSE(filters->matches("status", "dead"));
    EXPECT_TRUE(filters->matches("other", "anything"));
  }
}

TEST(Filters, NothingIsNoFilter) {
  EXPECT_TRUE(Filters::parse("")->empty());
  EXPECT_TRUE(Filters::parse("{}")->empty());
  EXPECT_TRUE(Filters::parse("null")->empty());
}

TEST(Filters, AKeyWithoutValuesAsksForNothing) {
  for (const char* text : {R"({"status":[]})", R"({"status":{}})"}) {
    const auto filters = Filters::parse(text);
    ASSERT_TRUE(filters.ok()) << text;
    EXPECT_FALSE(filters->has("status"));
    EXPECT_TRUE(filters->matches("status", "running"));
    EXPECT_TRUE(filters->matches_part("status", "running"));
    EXPECT_FALSE(filters->accept_only({"name"}).ok()) << "it has to be a key that is known";
  }
}

TEST(Filters, RefusesOtherShapes) {
  for (const char* text : {"[", "[]", "1", R"({"a":1})", R"({"a":[1]})", R"({"a":{"b":1}})"})
    EXPECT_FALSE(Filters::parse(text).ok()) << text;
  EXPECT_FALSE(Filters::parse(std::string(Filters::kMaxBytes + 1, ' ')).ok());
}

TEST(Filters, NamesAnUnknownKey) {
  const auto filters = Filters::parse(R"({"nope":["x"]})");
  const auto accepted = filters->accept_only({"status"});
  ASSERT_FALSE(accepted.ok());
  EXPECT_EQ(accepted.error().message(), "invalid filter 'nope'");
}

TEST(Filters, LabelsHaveToMatchAll) {
  const auto filters = Filters::parse(R"({"label":["a","b=2"]})");
  EXPECT_TRUE(filters->matches_labels("label", {{"a", "1"}, {"b", "2"}}));
  EXPECT_FALSE(filters->matches_labels("label", {{"a", "1"}, {"b", "3"}}));
  EXPECT_FALSE(filters->matches_labels("label", {{"b", "2"}}));
}

TEST(Filters, FlagsTakeOneBoolean) {
  EXPECT_TRUE(Filters::parse(R"({"dangling":["1"]})")->flag("dangling", false).value());
  EXPECT_FALSE(Filters::parse(R"({"dangling":{"false":true}})")->flag("dangling", true).value());
  EXPECT_FALSE(Filters::parse(R"({"dangling":["maybe"]})")->flag("dangling", true).ok());
  EXPECT_TRUE(Filters::parse("")->flag("dangling", true).value());
}

}  // namespace
}  // namespace berth::docker
