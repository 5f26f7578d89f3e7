#include "engine/commit_config.h"

#include <gtest/gtest.h>

namespace berth::engine {
namespace {

using Strings = std::vector<std::string>;

image::ImageConfig container() {
  return {.entrypoint = {"/entry"},
          .cmd = {"run"},
          .env = {"PATH=/bin", "A=1"},
          .working_dir = "/w",
          .user = "user",
          .stop_signal = "SIGINT",
          .labels = {{"a", "1"}, {"b", "2"}},
          .exposed_ports = {"80/tcp"},
          .volumes = {"/data"}};
}

TEST(CommitConfig, WhatIsNotSaidIsTheContainers) {
  image::ImageConfig config;
  fill_in_commit_config(config, container());
  EXPECT_EQ(config.entrypoint, Strings{"/entry"});
  EXPECT_EQ(config.cmd, Strings{"run"});
  EXPECT_EQ(config.env, (Strings{"PATH=/bin", "A=1"}));
  EXPECT_EQ(config.working_dir, "/w");
  EXPECT_EQ(config.user, "user");
  EXPECT_EQ(config.stop_signal, "SIGINT");
  EXPECT_EQ(config.labels.size(), 2U);
  EXPECT_EQ(config.exposed_ports, Strings{"80/tcp"});
  EXPECT_EQ(config.volumes, Strings{"/data"});
}

TEST(CommitConfig, WhatIsSaidWins) {
  image::ImageConfig config;
  config.env = {"A=2", "B=3"};
  config.working_dir = "/other";
  config.labels = {{"a", "9"}};
  config.exposed_ports = {"80/tcp", "443/tcp"};
  fill_in_commit_config(config, container());
  EXPECT_EQ(config.env, (Strings{"A=2", "B=3", "PATH=/bin"}));
  EXPECT_EQ(config.working_dir, "/other");
  EXPECT_EQ(config.labels, (std::map<std::string, std::string>{{"a", "9"}, {"b", "2"}}));
  EXPECT_EQ(config.exposed_ports, (Strings{"80/tcp", "443/tcp"}));
}

TEST(CommitConfig, AnEntrypointOfItsOwnDropsTheCommand) {
  image::ImageConfig config;
  config.entrypoint = {"/own"};
  fill_in_commit_config(config, container());
  EXPECT_EQ(config.entrypoint, Strings{"/own"});
  EXPECT_TRUE(config.cmd.empty());
  image::ImageConfig command;
  command.cmd = {"other"};
  fill_in_commit_config(command, container());
  EXPECT_EQ(command.entrypoint, Strings{"/entry"});
  EXPECT_EQ(command.cmd, Strings{"other"});
}

TEST(CommitConfig, TheContainersOwnConfigurationBecomesAnImages) {
  WorkloadConfig config;
  config.entrypoint = Strings{"/e"};
  config.cmd = {"c"};
  config.env = {"A=1"};
  config.volumes = {"/v"};
  const image::ImageConfig made = image_config_of(config);
  EXPECT_EQ(made.entrypoint, Strings{"/e"});
  EXPECT_EQ(made.cmd, Strings{"c"});
  EXPECT_EQ(made.env, Strings{"A=1"});
  EXPECT_EQ(made.volumes, Strings{"/v"});
}

}  // namespace
}  // namespace berth::engine
