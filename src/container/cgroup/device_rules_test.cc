#include "container/cgroup/device_rules.h"

#include <gtest/gtest.h>

#include "container/cgroup/fake_tree_testing.h"

namespace berth::container {
namespace {

DeviceRule rule(bool allow, const char* type, std::optional<std::int64_t> major,
                std::optional<std::int64_t> minor, const char* access) {
  return {.allow = allow, .type = type, .major = major, .minor = minor, .access = access};
}

TEST(DeviceRules, AreWrittenAsTheKernelReadsThem) {
  EXPECT_EQ(device_rule_text(rule(true, "c", 1, 3, "rwm")), "c 1:3 rwm");
  EXPECT_EQ(device_rule_text(rule(true, "b", 8, {}, "r")), "b 8:* r");
  EXPECT_EQ(device_rule_text(rule(true, "c", -1, -1, "m")), "c *:* m");
  EXPECT_EQ(device_rule_text(rule(true, "c", {}, 0, "")), "c *:0 rwm");
}

TEST(DeviceRules, ForEverythingAreOneLetter) {
  for (const char* type : {"", "a"})
    for (const char* access : {"", "rwm"}) {
      EXPECT_EQ(device_rule_text(rule(false, type, {}, {}, access)), "a");
      EXPECT_EQ(device_rule_text(rule(false, type, -1, -1, access)), "a");
    }
}

class DeviceRulesFile : public ::testing::Test {
 protected:
  DeviceRulesFile() {
    tree_.put("a/devices.allow", "");
    tree_.put("a/devices.deny", "");
  }
  void write(const std::vector<DeviceRule>& rules) {
    const auto written = write_device_rules(*CgroupDirectory::open(tree_.path("a")), rules);
    EXPECT_TRUE(written.ok()) << written.error().message();
  }
  std::string allowed() const { return tree_.get("a/devices.allow"); }
  std::string denied() const { return tree_.get("a/devices.deny"); }

  FakeTree tree_;
};

TEST_F(DeviceRulesFile, HasALinePerRule) {
  write(
      {rule(false, "a", {}, {}, "rwm"), rule(true, "c", 1, 3, "rwm"), rule(true, "b", 8, 0, "r")});
  EXPECT_EQ(denied(), "a");
  EXPECT_EQ(allowed(), "c 1:3 rwmb 8:0 r");
}

// Whatever follows an "a", the kernel takes it for all devices and all access:
// devcgroup_update_access().
TEST_F(DeviceRulesFile, ARuleForSomeDevicesOfBothTypesIsOneForEach) {
  write(
      {rule(false, "a", {}, {}, "rwm"), rule(true, "a", 1, 3, "rwm"), rule(true, "", {}, {}, "r")});
  EXPECT_EQ(denied(), "a");
  EXPECT_EQ(allowed(), "b 1:3 rwmc 1:3 rwmb *:* rc *:* r");
}

TEST_F(DeviceRulesFile, NoRulesWriteNothing) {
  write({});
  EXPECT_EQ(allowed() + denied(), "");
}

TEST_F(DeviceRulesFile, ThatIsMissingIsNotFound) {
  tree_.make("b");
  const auto written = write_device_rules(*CgroupDirectory::open(tree_.path("b")),
                                          {rule(false, "a", {}, {}, "rwm")});
  EXPECT_EQ(written.error().kind(), ErrorKind::kNotFound);
}

}  // namespace
}  // namespace berth::container
