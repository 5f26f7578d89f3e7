#include "berthd/options.h"

#include <gtest/gtest.h>

namespace berth::daemon {
namespace {

TEST(DaemonOptions, HaveDefaults) {
  const auto parsed = parse_options({});
  ASSERT_TRUE(parsed.ok());
  const Options& options = *parsed->options;
  EXPECT_EQ(options.engine.root, "/var/lib/berth");
  EXPECT_EQ(options.engine.run, "/run/berth");
  EXPECT_EQ(options.engine.bridge, "berth0");
  ASSERT_EQ(options.hosts.size(), 1U);
  EXPECT_EQ(options.hosts[0].text(), "unix:///run/berth/berth.sock");
}

TEST(DaemonOptions, TakeSeveralHosts) {
  const auto parsed =
      parse_options({"--host", "unix:///a.sock", "--host", "tcp://127.0.0.1:2375", "--root", "/r/",
                     "--sandbox-pool", "0", "--log-format", "json"});
  ASSERT_TRUE(parsed.ok()) << parsed.error().message();
  EXPECT_EQ(parsed->options->hosts.size(), 2U);
  EXPECT_EQ(parsed->options->engine.root, "/r");
  EXPECT_EQ(parsed->options->engine.pool_size, 0U);
  EXPECT_TRUE(parsed->options->log_json);
}

TEST(DaemonOptions, NameTheFlagThatIsWrong) {
  const std::vector<std::vector<std::string>> wrong = {
      {"--root", "relative"},   {"--run", ""},         {"--bridge", "sixteen_letters_"},
      {"--log-level", "loud"},  {"--host", "ftp://x"}, {"--host", "tcp://0.0.0.0:1"},
      {"--sandbox-pool", "-1"}, {"--nonsense"},        {"--log-format", "xml"}};
  for (const auto& arguments : wrong) {
    const auto parsed = parse_options(arguments);
    ASSERT_FALSE(parsed.ok()) << arguments[0];
    EXPECT_NE(parsed.error().message().find(arguments[0]), std::string::npos)
        << parsed.error().message();
  }
}

TEST(DaemonOptions, HelpAndVersionAreTexts) {
  for (const char* flag : {"--help", "--version"}) {
    const auto parsed = parse_options({flag});
    ASSERT_TRUE(parsed.ok());
    EXPECT_FALSE(parsed->options.has_value());
    EXPECT_NE(parsed->text.find("berthd"), std::string::npos);
  }
}

}  // namespace
}  // namespace berth::daemon
