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

TEST(Resources, AreReadByThemselves) {
  const auto resources =
      parse_resources(R"({"memory": {"limit": 5, "checkBeforeUpdate": true}, "pids": {}})");
  ASSERT_TRUE(resources.ok()) << resources.error().message();
  EXPECT_EQ(resources->memory.limit, 5);
  EXPECT_EQ(resources->memory.check_before_update, true);
  for (const char* escaping : {R"({"unified": {"../memory.max": "1"}})",
                               R"({"hugepageLimits": [{"pageSize": "../2MB", "limit": 1}]})"})
    EXPECT_EQ(parse_resources(escaping).error().kind(), ErrorKind::kInvalid) << escaping;
  EXPECT_TRUE(parse_resources(R"({"hugepageLimits": [{"pageSize": "2MB", "limit": 1}]})").ok());
  EXPECT_EQ(parse_resources("[]").error().kind(), ErrorKind::kInvalid);
  EXPECT_THAT(parse_resources(R"({"memory": {"limit": "5"}})").error().message(),
              ::testing::StartsWith("the resources: memory.limit must be a whole number"));
}

}  // namespace
}  // namespace berth::container
