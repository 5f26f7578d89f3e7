#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "container/runtime/bundle_testing.h"
#include "container/runtime/container.h"

namespace berth::container {
namespace {

using ::testing::HasSubstr;

class ContainerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = reason_to_skip(); !reason.empty()) GTEST_SKIP() << reason;
    bundle_.emplace();
  }
  std::optional<Bundle> bundle_;
};

TEST_F(ContainerTest, RunsAndReturnsTheExitCode) {
  auto outcome = bundle_->run(Bundle::shell("echo hello; exit 7"));
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_EQ(outcome->output, "hello\n");
  EXPECT_EQ(outcome->status.shell_code(), 7);
}

TEST_F(ContainerTest, IsPidOneOfItsOwnWorld) {
  EXPECT_EQ(bundle_->sh("echo $$; hostname"), "1\nberth");
}

}  // namespace
}  // namespace berth::container
