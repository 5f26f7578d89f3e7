#include "engine/config_merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <limits>

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

using Limit = std::pair<std::int64_t Resources::*, std::int64_t>;

std::string refusal_of(std::initializer_list<Limit> limits, unsigned cpus = 2) {
  WorkloadConfig config = valid();
  for (const auto& [member, value] : limits) config.resources.*member = value;
  const auto result = validate_config(config, cpus);
  return result.ok() ? "" : result.error().message();
}

TEST(ValidateConfig, CpusAreThoseOfTheHost) {
  constexpr auto kCpus = &Resources::nano_cpus;
  constexpr std::int64_t kOne = 1'000'000'000;
  constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t nano :
       {std::int64_t{1}, kOne / 1000, 2 * kOne + 1, 100 * kOne, kLargest, -kOne})
    EXPECT_EQ(refusal_of({{kCpus, nano}}),
              "range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available")
        << nano;
  EXPECT_EQ(refusal_of({{kCpus, kOne / 100}}), "");
  EXPECT_EQ(refusal_of({{kCpus, 2 * kOne}}), "");
  EXPECT_EQ(refusal_of({{kCpus, 100 * kOne}}, 128), "");
  EXPECT_GE(available_cpus(), 1);
}

TEST(ValidateConfig, MemoryLimitsFitEachOther) {
  constexpr auto kMemory = &Resources::memory;
  constexpr auto kSwap = &Resources::memory_swap;
  constexpr auto kReserved = &Resources::memory_reservation;
  constexpr std::int64_t kSome = 64 << 20;
  EXPECT_EQ(refusal_of({{kMemory, kSome}, {kReserved, kSome / 2}, {kSwap, kSome}}), "");
  EXPECT_EQ(refusal_of({{kMemory, kSome}, {kSwap, -1}}), "");
  EXPECT_THAT(refusal_of({{kMemory, kSome}, {kSwap, kSome - 1}}),
              HasSubstr("Minimum memoryswap limit should be larger than memory limit"));
  EXPECT_THAT(refusal_of({{kSwap, kSome}}),
              HasSubstr("You should always set the Memory limit when using Memoryswap limit"));
  EXPECT_THAT(refusal_of({{kMemory, kSome}, {kSwap, -2}}), HasSubstr("-2"));
  EXPECT_THAT(refusal_of({{kMemory, kSome}, {kReserved, kSome + 1}}),
              HasSubstr("can not be less than memory reservation limit"));
  EXPECT_THAT(refusal_of({{kReserved, 1}}), HasSubstr("Minimum memory reservation allowed is 6MB"));
  EXPECT_THAT(refusal_of({{kReserved, -1}}), HasSubstr("negative"));
}

TEST(ValidateConfig, PidsLimitIsWhatTheKernelTakes) {
  constexpr auto kPids = &Resources::pids_limit;
  for (const std::int64_t limit : {-2, -1, 0, 1, 4 << 20})
    EXPECT_EQ(refusal_of({{kPids, limit}}), "") << limit;
  EXPECT_THAT(refusal_of({{kPids, (4 << 20) + 1}}), HasSubstr("pids limit 4194305"));
}

TEST(ValidateConfig, LogOptionsWithoutEffectAreRefused) {
  const auto kind = [](LogConfig log) -> std::optional<ErrorKind> {
    WorkloadConfig config = valid();
    config.log = std::move(log);
    const auto result = validate_config(config);
    if (result.ok()) return {};
    return result.error().kind();
  };
  const std::string json = "json-file";
  EXPECT_EQ(kind({.driver = json, .options = {}}), std::nullopt);
  EXPECT_EQ(kind({.driver = json, .options = {{"mode", "blocking"}}}), std::nullopt);
  EXPECT_EQ(kind({.driver = "none", .options = {{"max-size", "1m"}}}), std::nullopt);
  for (const char* option : {"max-size", "max-file", "compress", "labels", "tag", "mode"})
    EXPECT_EQ(kind({.driver = json, .options = {{option, "1"}}}), ErrorKind::kUnsupported)
        << option;
  EXPECT_EQ(kind({.driver = json, .options = {{"max-sise", "1m"}}}), ErrorKind::kInvalid);
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
