#include "api/docker/wire/host_config.h"

#include <gtest/gtest.h>

namespace berth::docker {
namespace {

Result<engine::WorkloadConfig> parsed(std::string_view text) {
  engine::WorkloadConfig config;
  std::vector<std::string> warnings;
  TRY(parse_host_config(*parse_json(text), config, warnings));
  return config;
}

TEST(HostConfig, ConsoleSizeIsRowsAndColumns) {
  const auto config = parsed(R"({"ConsoleSize": [33, 111]})");
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->rows, 33);
  EXPECT_EQ(config->columns, 111);
  EXPECT_EQ(host_config_json(*config)["ConsoleSize"], OrderedJson({33, 111}));
  EXPECT_EQ(parsed("{}")->rows, 0);
  EXPECT_EQ(host_config_json(*parsed("{}"))["ConsoleSize"], OrderedJson({0, 0}));
}

TEST(HostConfig, RefusesConsoleSizesThatNoTerminalHas) {
  for (const char* size : {"[1]", "[1,2,3]", "[-1,80]", "[24,65536]", "\"24x80\"", "[\"24\",80]"})
    EXPECT_FALSE(parsed(fmt::format(R"({{"ConsoleSize": {}}})", size)).ok()) << size;
  for (const char* size : {"null", "[0,0]", "[65535,65535]"})
    EXPECT_TRUE(parsed(fmt::format(R"({{"ConsoleSize": {}}})", size)).ok()) << size;
}

}  // namespace
}  // namespace berth::docker
