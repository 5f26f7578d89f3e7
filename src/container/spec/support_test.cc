#include "container/spec/support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "container/spec/names.h"

namespace berth::container {
namespace {

TEST(Support, IsWhatTheSchemaTakes) {
  EXPECT_TRUE(takes<Linux>("seccomp"));
  EXPECT_TRUE(takes<Process>("cwd"));
  EXPECT_FALSE(takes<Linux>("noSuchMember"));
  EXPECT_THAT(fields_of<Hooks>(),
              ::testing::ElementsAre("prestart", "createRuntime", "createContainer",
                                     "startContainer", "poststart", "poststop"));
}

// What `features` claims, a config.json may have; what it denies is refused by its name.
TEST(Support, OfAMemberIsWhetherAConfigMayHaveIt) {
  struct Claim {
    const char* section;
    const char* member;
    const char* value;
    bool taken;
  };
  const Claim claims[] = {
      {"linux", "intelRdt", R"({"closID": "x"})", takes<Linux>("intelRdt")},
      {"linux", "netDevices", R"({"eth0": {}})", takes<Linux>("netDevices")},
      {"process", "apparmorProfile", R"("x")", takes<Process>("apparmorProfile")},
      {"process", "selinuxLabel", R"("x")", takes<Process>("selinuxLabel")},
  };
  for (const Claim& claim : claims) {
    const bool process = std::string_view(claim.section) == "process";
    const auto spec =
        parse_spec(fmt::format(R"({{"ociVersion": "1.2.0", "{}": {{{}"{}": {}}}}})", claim.section,
                               process ? R"("cwd": "/", )" : "", claim.member, claim.value));
    ASSERT_TRUE(spec.ok()) << spec.error().message();
    EXPECT_EQ(spec->unsupported.empty(), claim.taken) << claim.member;
  }
}

TEST(Resources, AreReadByThemselves) {
  const auto resources =
      parse_resources(R"({"memory": {"limit": 5, "checkBeforeUpdate": true}, "pids": {}})");
  ASSERT_TRUE(resources.ok()) << resources.error().message();
  EXPECT_EQ(resources->memory.limit, 5);
  EXPECT_EQ(resources->memory.check_before_update, true);
  EXPECT_EQ(parse_resources("[]").error().kind(), ErrorKind::kInvalid);
  EXPECT_THAT(parse_resources(R"({"memory": {"limit": "5"}})").error().message(),
              ::testing::StartsWith("the resources: memory.limit must be a whole number"));
}

}  // namespace
}  // namespace berth::container
