#include "api/docker/import_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::docker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

image::ImageConfig parse(const std::vector<std::string>& changes) {
  auto config = parse_import_changes(changes);
  EXPECT_TRUE(config.ok()) << config.error().message();
  return config.ok() ? *config : image::ImageConfig();
}

TEST(ImportChanges, CommandsAreAListOrALineForTheShell) {
  EXPECT_THAT(parse({R"(CMD ["a", "b c"])"}).cmd, ElementsAre("a", "b c"));
  EXPECT_THAT(parse({"cmd echo $A"}).cmd, ElementsAre("/bin/sh", "-c", "echo $A"));
  EXPECT_THAT(parse({"ENTRYPOINT []", "CMD x"}).entrypoint, ElementsAre());
  EXPECT_THAT(parse({"CMD a", "CMD b"}).cmd, ElementsAre("/bin/sh", "-c", "b"));
}

TEST(ImportChanges, VariablesHaveTwoForms) {
  EXPECT_THAT(parse({R"(ENV A=b C="d e" F=g\ h)"}).env, ElementsAre("A=b", "C=d e", "F=g h"));
  EXPECT_THAT(parse({"ENV A b  c=d "}).env, ElementsAre("A=b  c=d"));
}

TEST(ImportChanges, TheOthersAreTakenToo) {
  const auto config =
      parse({"LABEL a=b 'c d=e'", "EXPOSE 80 53/udp", "VOLUME /a /b", R"(VOLUME ["/c d"])",
             "USER 1:2", "WORKDIR /w", "STOPSIGNAL SIGINT\n\n  USER 3"});
  EXPECT_THAT(config.labels, ElementsAre(Pair("a", "b"), Pair("c d", "e")));
  EXPECT_THAT(config.exposed_ports, ElementsAre("80/tcp", "53/udp"));
  EXPECT_THAT(config.volumes, ElementsAre("/a", "/b", "/c d"));
  EXPECT_EQ(config.user, "3") << "one change may hold several lines";
  EXPECT_EQ(config.working_dir, "/w");
  EXPECT_EQ(config.stop_signal, "SIGINT");
}

TEST(ImportChanges, AreAppliedToWhatIsThere) {
  image::ImageConfig config;
  config.cmd = {"old"};
  config.env = {"A=1", "AB=2"};
  config.working_dir = "/w/x";
  config.exposed_ports = {"80/tcp"};
  config.volumes = {"/v"};
  const auto apply = [&](const std::vector<std::string>& changes) {
    return MUST(apply_import_changes(changes, config));
  };
  EXPECT_THAT(apply({"ENV A=3 C=4"}).env, ElementsAre("A=3", "AB=2", "C=4"));
  EXPECT_THAT(apply({"EXPOSE 80 81"}).exposed_ports, ElementsAre("80/tcp", "81/tcp"));
  EXPECT_THAT(apply({"VOLUME /v /w"}).volumes, ElementsAre("/v", "/w"));
  EXPECT_EQ(apply({"WORKDIR ../y/"}).working_dir, "/w/y");
  EXPECT_EQ(apply({"WORKDIR /"}).working_dir, "/");
  EXPECT_THAT(apply({R"(ENTRYPOINT ["/e"])"}).cmd, ElementsAre());
  EXPECT_THAT(apply({"CMD [\"new\"]", R"(ENTRYPOINT ["/e"])"}).cmd, ElementsAre("new"));
  EXPECT_THAT(apply({}).cmd, ElementsAre("old"));
}

TEST(ImportChanges, ThatMakeNoSenseNameTheLine) {
  const std::pair<const char*, const char*> rows[] = {
      {"RUN x", "RUN is not a valid change command"},
      {"CMD", "CMD needs an argument"},
      {"CMD [", "CMD: not a list of texts"},
      {"CMD [7]", "CMD: not a list of texts"},
      {"ENV A", "ENV: 'A' is not of the form NAME=VALUE"},
      {"ENV =b", "ENV: '=b'"},
      {"ENV A=\"b", "ENV: a quote is not closed"},
      {"LABEL a", "LABEL: 'a'"},
      {"EXPOSE x", "EXPOSE: invalid port 'x'"}};
  for (const auto& [line, says] : rows) {
    const auto config = parse_import_changes({line});
    ASSERT_FALSE(config.ok()) << line;
    EXPECT_EQ(config.error().kind(), ErrorKind::kInvalid);
    EXPECT_THAT(config.error().message(), HasSubstr(says));
  }
  EXPECT_TRUE(parse_import_changes({"", " \n\t"}).ok());
}

}  // namespace
}  // namespace berth::docker
