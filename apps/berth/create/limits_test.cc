#include "berth/create/limits.h"

#include <gtest/gtest.h>

namespace berth::cli {
namespace {

std::string text_of(const Result<Json>& result) {
  return result.ok() ? dump_json(*result) : result.error().message();
}

TEST(Ulimit, SoftAndHard) {
  EXPECT_EQ(text_of(parse_ulimit("nofile=1024:2048")),
            R"({"Hard":2048,"Name":"nofile","Soft":1024})");
  EXPECT_EQ(text_of(parse_ulimit("core=0")), R"({"Hard":0,"Name":"core","Soft":0})");
  EXPECT_EQ(text_of(parse_ulimit("memlock=-1:-1")), R"({"Hard":-1,"Name":"memlock","Soft":-1})");
  EXPECT_EQ(text_of(parse_ulimit("nofile=5:3")),
            "ulimit soft limit must be less than or equal to hard limit: 5 > 3");
  for (const char* text : {"", "nofile", "nosuch=1", "nofile=", "nofile=1:", "nofile=-2",
                           "nofile=1:2:3", "nofile=-1:5"})
    EXPECT_FALSE(parse_ulimit(text).ok()) << text;
}

TEST(Device, PathsAndModes) {
  EXPECT_EQ(text_of(parse_device("/dev/a")),
            R"({"CgroupPermissions":"rwm","PathInContainer":"/dev/a","PathOnHost":"/dev/a"})");
  EXPECT_EQ(text_of(parse_device("/dev/a:r")),
            R"({"CgroupPermissions":"r","PathInContainer":"/dev/a","PathOnHost":"/dev/a"})");
  EXPECT_EQ(text_of(parse_device("/dev/a:/dev/b:rw")),
            R"({"CgroupPermissions":"rw","PathInContainer":"/dev/b","PathOnHost":"/dev/a"})");
  for (const char* text : {"", "/dev/a:b", "/dev/a:/dev/b:x", "/dev/a:/dev/b:r:w", ":/dev/b"})
    EXPECT_FALSE(parse_device(text).ok()) << text;
}

TEST(RestartPolicy, NamesAndCounts) {
  EXPECT_EQ(text_of(parse_restart_policy("no")), R"({"MaximumRetryCount":0,"Name":"no"})");
  EXPECT_EQ(text_of(parse_restart_policy("on-failure:3")),
            R"({"MaximumRetryCount":3,"Name":"on-failure"})");
  EXPECT_FALSE(parse_restart_policy("sometimes").ok());
  EXPECT_FALSE(parse_restart_policy("on-failure:x").ok());
  EXPECT_FALSE(parse_restart_policy("on-failure:-1").ok());
}

TEST(SecurityOptions, TheyArePassedOnButForPaths) {
  const auto options = parse_security_options(
      {"no-new-privileges", "seccomp=unconfined", "label=disable", "systempaths=unconfined"});
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->options,
            (std::vector<std::string>{"no-new-privileges", "seccomp=unconfined", "label=disable"}));
  EXPECT_TRUE(options->unconfined_paths);
  EXPECT_EQ(parse_security_options({"what"}).error().message(), "invalid --security-opt: \"what\"");
  EXPECT_FALSE(parse_security_options({"seccomp=/nowhere/profile.json"}).ok());
}

TEST(LogConfig, NoOptionsForNoDriver) {
  EXPECT_EQ(text_of(parse_log_config("json-file", {"max-size=1m"})),
            R"({"Config":{"max-size":"1m"},"Type":"json-file"})");
  EXPECT_EQ(text_of(parse_log_config("", {})), R"({"Config":{},"Type":""})");
  EXPECT_FALSE(parse_log_config("none", {"a=b"}).ok());
}

}  // namespace
}  // namespace berth::cli
