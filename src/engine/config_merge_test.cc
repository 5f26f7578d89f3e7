#include "engine/config_merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

namespace berth::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

image::ImageConfig shell_image() {
  image::ImageConfig image;
  image.entrypoint = {"/entry"};
  image.cmd = {"serve"};
  image.env = {"PATH=/bin", "MODE=image"};
  image.labels = {{"a", "image"}, {"b", "image"}};
  return image;
}

WorkloadConfig valid() {
  WorkloadConfig config;
  config.cmd = {"true"};
  return config;
}

MountRequest bind(std::string source, std::string target) {
  MountRequest request;
  request.source = std::move(source);
  request.target = std::move(target);
  return request;
}

std::string refusal(const WorkloadConfig& config) {
  const auto result = validate_config(config);
  return result.ok() ? "" : result.error().message();
}

TEST(MergeImageConfig, TakesWhatTheRequestLeavesOpen) {
  WorkloadConfig config;
  merge_image_config(config, shell_image());
  EXPECT_THAT(*config.entrypoint, ElementsAre("/entry"));
  EXPECT_THAT(config.cmd, ElementsAre("serve"));
}

TEST(MergeImageConfig, OwnCommandKeepsTheImagesEntrypoint) {
  WorkloadConfig config;
  config.cmd = {"migrate"};
  merge_image_config(config, shell_image());
  EXPECT_THAT(*config.entrypoint, ElementsAre("/entry"));
  EXPECT_THAT(config.cmd, ElementsAre("migrate"));
}

TEST(MergeImageConfig, OwnEntrypointDropsTheImagesCommand) {
  WorkloadConfig config;
  config.entrypoint = {"/bin/sh"};
  merge_image_config(config, shell_image());
  EXPECT_THAT(config.cmd, IsEmpty());
}

TEST(MergeImageConfig, EmptyStringEntrypointAsksForNone) {
  WorkloadConfig config;
  config.entrypoint = {""};
  config.cmd = {"ls"};
  merge_image_config(config, shell_image());
  EXPECT_THAT(*config.entrypoint, IsEmpty());
  EXPECT_THAT(config.cmd, ElementsAre("ls"));
}

TEST(MergeImageConfig, OwnVariablesAndLabelsWin) {
  WorkloadConfig config;
  config.env = {"MODE=own"};
  config.labels = {{"a", "own"}};
  merge_image_config(config, shell_image());
  EXPECT_THAT(config.env, ElementsAre("MODE=own", "PATH=/bin"));
  EXPECT_EQ(config.labels["a"], "own");
  EXPECT_EQ(config.labels["b"], "image");
}

TEST(ValidateConfig, NamesTheOptionThatCannotBe) {
  EXPECT_EQ(refusal(valid()), "");

  WorkloadConfig config = valid();
  config.cmd.clear();
  EXPECT_THAT(refusal(config), HasSubstr("No command specified"));

  config = valid();
  config.resources.memory = 1 << 20;
  EXPECT_THAT(refusal(config), HasSubstr("Minimum memory limit allowed is 6MB"));

  config = valid();
  config.resources.nano_cpus = 1'000'000'000;
  config.resources.cpu_quota = 50'000;
  EXPECT_THAT(refusal(config), HasSubstr("Conflicting options"));

  config = valid();
  config.working_dir = "tmp";
  EXPECT_THAT(refusal(config), HasSubstr("'tmp'"));

  config = valid();
  config.mounts = {bind("/a", "/x"), bind("/b", "/x")};
  EXPECT_THAT(refusal(config), HasSubstr("Duplicate mount point: /x"));

  config = valid();
  config.mounts = {bind("/a", "/")};
  EXPECT_THAT(refusal(config), HasSubstr("destination can't be '/'"));
}

TEST(ValidateConfig, SaysWhatIsNotThereYet) {
  WorkloadConfig config = valid();
  config.restart_policy = "always";
  const auto result = validate_config(config);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(result.error().message(), HasSubstr("always"));
}

TEST(ParseSignal, TakesNamesWithAndWithoutPrefixAndNumbers) {
  EXPECT_EQ(*parse_signal("TERM"), SIGTERM);
  EXPECT_EQ(*parse_signal("sigkill"), SIGKILL);
  EXPECT_EQ(*parse_signal("15"), SIGTERM);
  EXPECT_EQ(*parse_signal("RTMIN+3"), SIGRTMIN + 3);
  EXPECT_EQ(*parse_signal("SIGRTMAX-1"), SIGRTMAX - 1);
}

TEST(ParseSignal, RefusesWhatIsNone) {
  for (const char* text : {"", "0", "65", "-1", "TERMX", "RTMIN-1", "RTMIN+99", "9 "})
    EXPECT_FALSE(parse_signal(text).ok()) << text;
}

}  // namespace
}  // namespace berth::engine
