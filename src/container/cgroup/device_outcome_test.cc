#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "container/cgroup/device_rules.h"

namespace berth::container {
namespace {

using ::testing::ElementsAre;

DeviceRule allow(const char* type, std::int64_t major, std::int64_t minor, const char* access) {
  return {.allow = true, .type = type, .major = major, .minor = minor, .access = access};
}
DeviceRule deny(const char* type, std::int64_t major, std::int64_t minor, const char* access) {
  DeviceRule rule = allow(type, major, minor, access);
  rule.allow = false;
  return rule;
}

std::vector<std::string> outcome(std::vector<DeviceRule> rules) {
  std::vector<std::string> lines;
  const auto resolved = resolve_device_rules(rules);
  if (!resolved.ok()) return {std::string(to_string(resolved.error().kind()))};
  for (const DeviceRule& rule : *resolved)
    lines.push_back((rule.allow ? "+" : "-") + device_rule_text(rule));
  return lines;
}

const DeviceRule kDenyAll = deny("a", -1, -1, "rwm");
const DeviceRule kAllowAll = allow("a", -1, -1, "rwm");

TEST(DeviceOutcome, ARuleForEverythingForgetsWhatWasBefore) {
  EXPECT_THAT(outcome({allow("c", 1, 3, "r"), kDenyAll}), ElementsAre("-a"));
  EXPECT_THAT(outcome({kDenyAll, allow("c", 1, 3, "r"), kAllowAll}), ElementsAre("+a"));
}

TEST(DeviceOutcome, RulesForOneDeviceAreOneLine) {
  EXPECT_THAT(outcome({kDenyAll, allow("c", 1, 3, "r"), allow("c", 1, 3, "rw")}),
              ElementsAre("-a", "+c 1:3 rw"));
}

TEST(DeviceOutcome, WhatIsTakenAgainIsNotWritten) {
  EXPECT_THAT(outcome({kDenyAll, allow("c", 1, 3, "rwm"), deny("c", 1, 3, "w")}),
              ElementsAre("-a", "+c 1:3 rm"));
  EXPECT_THAT(
      outcome({kDenyAll, allow("c", 1, 3, "r"), allow("b", 8, 0, "r"), deny("a", -1, -1, "r")}),
      ElementsAre("-a"));
  EXPECT_THAT(outcome({kAllowAll, deny("c", 1, 11, "r"), allow("c", 1, -1, "rwm")}),
              ElementsAre("+a"));
}

TEST(DeviceOutcome, WhatTouchesNothingIsNoHole) {
  EXPECT_THAT(outcome({kDenyAll, allow("c", -1, -1, "m"), deny("c", 1, 3, "rw")}),
              ElementsAre("-a", "+c *:* m"));
}

TEST(DeviceOutcome, AHoleIsUnsupported) {
  const std::string unsupported(to_string(ErrorKind::kUnsupported));
  EXPECT_THAT(outcome({kDenyAll, allow("c", 1, -1, "r"), deny("c", 1, 3, "r")}),
              ElementsAre(unsupported));
  EXPECT_THAT(outcome({kDenyAll, allow("c", 1, -1, "r"), deny("c", -1, 3, "r")}),
              ElementsAre(unsupported));
  EXPECT_THAT(outcome({kAllowAll, deny("c", 1, -1, "r"), allow("c", 1, 3, "r")}),
              ElementsAre(unsupported));
}

}  // namespace
}  // namespace berth::container
