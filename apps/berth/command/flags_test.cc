#include "berth/command/flags.h"

#include <gtest/gtest.h>

namespace berth::cli {
namespace {

struct Options {
  bool interactive = false, tty = false, proxy = true, remove = false;
  std::optional<bool> init;
  std::string name;
  std::optional<std::string> entrypoint;
  std::vector<std::string> env, publish;
  std::int64_t limit = 0;
  std::optional<std::int64_t> timeout;
  Bytes memory;
  NanoCpus cpus;
};

constexpr auto kTable = std::to_array<FlagSpec>({
    {"interactive", 'i', into<&Options::interactive>(), "h"},
    {"tty", 't', into<&Options::tty>(), "h"},
    {"rm", 0, into<&Options::remove>(), "h"},
    {"sig-proxy", 0, into<&Options::proxy>(), "h"},
    {"init", 0, into<&Options::init>(), "h"},
    {"name", 0, into<&Options::name>(), "h"},
    {"entrypoint", 0, into<&Options::entrypoint>(), "h"},
    {"env", 'e', into<&Options::env>(), "h"},
    {"publish", 'p', into<&Options::publish>(), "h"},
    {"pids-limit", 0, into<&Options::limit>(), "h"},
    {"stop-timeout", 0, into<&Options::timeout>(), "h"},
    {"memory", 'm', into<&Options::memory>(), "h"},
    {"cpus", 0, into<&Options::cpus>(), "h"},
});
using Words = std::vector<std::string>;

std::string error_of(const Words& words) {
  Options options;
  const auto parsed = parse_flags(kTable, words, false, &options);
  return parsed.ok() ? "" : parsed.error().message();
}

TEST(Flags, EverySpelling) {
  Options options;
  const Words words = {"-it",
                       "--name",
                       "web",
                       "-e",
                       "A=1",
                       "-eB=2",
                       "-e=C=3",
                       "--env=D=4",
                       "-p80:80",
                       "-m",
                       "1g",
                       "--cpus=1.5",
                       "--init",
                       "--sig-proxy=false",
                       "--entrypoint",
                       "",
                       "--pids-limit",
                       "-1",
                       "--stop-timeout=5"};
  const auto parsed = parse_flags(kTable, words, true, &options);
  ASSERT_TRUE(parsed.ok()) << parsed.error().message();
  EXPECT_TRUE(parsed->operands.empty());
  EXPECT_TRUE(options.interactive && options.tty && !options.proxy && !options.remove);
  EXPECT_EQ(options.init, true);
  EXPECT_EQ(options.name, "web");
  EXPECT_EQ(options.entrypoint, "");
  EXPECT_EQ(options.env, (Words{"A=1", "B=2", "C=3", "D=4"}));
  EXPECT_EQ(options.publish, Words{"80:80"});
  EXPECT_EQ(options.limit, -1);
  EXPECT_EQ(options.timeout, 5);
  EXPECT_EQ(options.memory.value, 1 << 30);
  EXPECT_EQ(options.cpus.value, 1500000000);
}

TEST(Flags, TheFirstOperandEndsThemUnlessInterspersed) {
  Options options;
  const Words words = {"--rm", "image", "-t", "--rm=false"};
  auto parsed = parse_flags(kTable, words, false, &options);
  EXPECT_EQ(parsed->operands, (Words{"image", "-t", "--rm=false"}));
  EXPECT_TRUE(options.remove);
  EXPECT_FALSE(options.tty);

  parsed = parse_flags(kTable, words, true, &options);
  EXPECT_EQ(parsed->operands, Words{"image"});
  EXPECT_FALSE(options.remove);
  EXPECT_TRUE(options.tty);
}

TEST(Flags, TwoDashesEndThemAndOneIsAnOperand) {
  Options options;
  EXPECT_EQ(parse_flags(kTable, Words{"-", "--", "-t", "--"}, true, &options)->operands,
            (Words{"-", "-t", "--"}));
  EXPECT_FALSE(options.tty);
}

TEST(Flags, AValueMayLookLikeAFlag) {
  Options options;
  ASSERT_TRUE(parse_flags(kTable, Words{"-e", "-t", "--name", "--rm"}, true, &options).ok());
  EXPECT_EQ(options.env, Words{"-t"});
  EXPECT_EQ(options.name, "--rm");
}

TEST(Flags, HelpIsAFlagOfEveryTable) {
  Options options;
  EXPECT_TRUE(parse_flags(kTable, Words{"--help", "--nosuch"}, false, &options)->help);
  EXPECT_TRUE(parse_flags(kTable, Words{"-h"}, false, &options)->help);
}

TEST(Flags, MistakesAreNamedInDockersWords) {
  EXPECT_EQ(error_of({"--nosuch"}), "unknown flag: --nosuch");
  EXPECT_EQ(error_of({"-iz"}), "unknown shorthand flag: 'z' in -iz");
  EXPECT_EQ(error_of({"--name"}), "flag needs an argument: --name");
  EXPECT_EQ(error_of({"-e"}), "flag needs an argument: 'e' in -e");
  EXPECT_EQ(error_of({"-m", "abc"}),
            "invalid argument \"abc\" for \"-m, --memory\" flag: invalid size: 'abc'");
  EXPECT_EQ(error_of({"--rm=maybe"}),
            "invalid argument \"maybe\" for \"--rm\" flag: 'maybe' is neither true nor false");
  EXPECT_EQ(error_of({"--pids-limit", "x"}),
            "invalid argument \"x\" for \"--pids-limit\" flag: 'x' is not a whole number");
  EXPECT_EQ(error_of({"--pids-limit=99999999999999999999"}),
            "invalid argument \"99999999999999999999\" for \"--pids-limit\" flag: "
            "'99999999999999999999' is out of range");
  EXPECT_EQ(error_of({"--=x"}), "bad flag syntax: --=x");
}

}  // namespace
}  // namespace berth::cli
