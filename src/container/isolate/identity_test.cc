#include "container/isolate/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>

#include <algorithm>

#include "container/spec/kernel_names.h"

namespace berth::container {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// In a new user namespace every capability can be had, whoever runs the test.
Spec in_user_namespace() {
  Spec spec;
  spec.linux_.namespaces.push_back({NamespaceType::kUser, ""});
  return spec;
}

std::uint64_t bit(unsigned capability) {
  return std::uint64_t{1} << capability;
}

TEST(IdentityPlan, TakesIdsGroupsAndUmask) {
  Spec spec = in_user_namespace();
  spec.process.user = {.uid = 1000, .gid = 4294967295, .umask = 0077, .additional_gids = {7, 8}};
  spec.process.no_new_privileges = true;
  const auto plan = plan_identity(spec);
  ASSERT_TRUE(plan.ok()) << plan.error().message();
  EXPECT_EQ(plan->uid, 1000U);
  EXPECT_EQ(plan->gid, 4294967295U);
  EXPECT_EQ(plan->umask, 0077U);
  EXPECT_THAT(plan->groups, ElementsAre(7U, 8U));
  EXPECT_TRUE(plan->no_new_privileges);
}

TEST(IdentityPlan, HasTheUsualUmaskUnlessAskedForAnother) {
  Spec spec = in_user_namespace();
  EXPECT_EQ(plan_identity(spec)->umask, 0022U);
  spec.process.user.umask = 0;
  EXPECT_EQ(plan_identity(spec)->umask, 0U);
}

TEST(IdentityPlan, TurnsLimitsIntoTheKernelsNumbers) {
  Spec spec = in_user_namespace();
  spec.process.rlimits = {{"RLIMIT_NOFILE", 7, 9}, {"RLIMIT_CORE", 0, ~std::uint64_t{0}}};
  const auto plan = plan_identity(spec);
  ASSERT_TRUE(plan.ok());
  ASSERT_EQ(plan->limits.size(), 2U);
  EXPECT_EQ(plan->limits[0].resource, RLIMIT_NOFILE);
  EXPECT_EQ(plan->limits[0].value.rlim_cur, 7U);
  EXPECT_EQ(plan->limits[0].value.rlim_max, 9U);
  EXPECT_EQ(plan->limits[0].name, "RLIMIT_NOFILE");
  EXPECT_EQ(plan->limits[1].resource, RLIMIT_CORE);
  EXPECT_EQ(plan->limits[1].value.rlim_max, RLIM_INFINITY);
}

TEST(IdentityPlan, WithoutCapabilitiesThereAreNone) {
  const auto plan = plan_identity(in_user_namespace());
  ASSERT_TRUE(plan.ok());
  const CapabilitySets& sets = plan->capabilities;
  EXPECT_EQ(sets.bounding | sets.effective | sets.inheritable | sets.permitted | sets.ambient, 0U);
}

TEST(IdentityPlan, EachSetHasItsOwnBits) {
  Spec spec = in_user_namespace();
  spec.process.capabilities = Capabilities{.bounding = {"CAP_CHOWN", "CAP_KILL", "CAP_SYS_ADMIN"},
                                           .effective = {"CAP_KILL"},
                                           .inheritable = {"CAP_SETUID"},
                                           .permitted = {"CAP_KILL", "CAP_SETUID"},
                                           .ambient = {"CAP_NET_BIND_SERVICE"}};
  const auto plan = plan_identity(spec);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->capabilities.bounding, bit(CAP_CHOWN) | bit(CAP_KILL) | bit(CAP_SYS_ADMIN));
  EXPECT_EQ(plan->capabilities.effective, bit(CAP_KILL));
  EXPECT_EQ(plan->capabilities.inheritable, bit(CAP_SETUID));
  EXPECT_EQ(plan->capabilities.permitted, bit(CAP_KILL) | bit(CAP_SETUID));
  EXPECT_EQ(plan->capabilities.ambient, bit(CAP_NET_BIND_SERVICE));
}

TEST(IdentityPlan, EmptySetsTakeEverythingAway) {
  Spec spec = in_user_namespace();
  spec.process.capabilities.emplace();
  const auto plan = plan_identity(spec);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->capabilities.bounding | plan->capabilities.permitted, 0U);
}

TEST(IdentityPlan, InAUserNamespaceAllThatTheKernelKnowsIsKept) {
  const auto plan = plan_identity(in_user_namespace());
  ASSERT_TRUE(plan.ok());
  EXPECT_GE(plan->last_capability, static_cast<unsigned>(CAP_AUDIT_READ));
  EXPECT_LT(plan->last_capability, kCapabilityNames.size());
  EXPECT_EQ(plan->kept, (bit(plan->last_capability) << 1) - 1);
}

TEST(IdentityPlan, OutsideOneNothingIsGivenThatTheCallerLacks) {
  Spec spec;
  Capabilities& all = spec.process.capabilities.emplace();
  for (const auto name : kCapabilityNames) all.bounding.emplace_back(name);
  all.permitted = all.effective = all.bounding;
  const auto plan = plan_identity(spec);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->capabilities.bounding, plan->kept);
  EXPECT_EQ(plan->capabilities.permitted, plan->kept);
}

TEST(KernelNames, CapabilitiesHaveTheKernelsNumbers) {
  for (const auto& [name, number] :
       {std::pair{"CAP_CHOWN", CAP_CHOWN}, std::pair{"CAP_KILL", CAP_KILL},
        std::pair{"CAP_NET_RAW", CAP_NET_RAW}, std::pair{"CAP_SYS_ADMIN", CAP_SYS_ADMIN},
        std::pair{"CAP_MKNOD", CAP_MKNOD}, std::pair{"CAP_SETFCAP", CAP_SETFCAP},
        std::pair{"CAP_AUDIT_READ", CAP_AUDIT_READ}, std::pair{"CAP_PERFMON", CAP_PERFMON},
        std::pair{"CAP_BPF", CAP_BPF}, std::pair{"CAP_CHECKPOINT_RESTORE", CAP_CHECKPOINT_RESTORE}})
    EXPECT_EQ(capability_number(name), static_cast<unsigned>(number)) << name;
  EXPECT_EQ(kCapabilityNames.size(), static_cast<std::size_t>(CAP_LAST_CAP) + 1);
  for (const char* bad : {"", "CAP_", "chown", "CAP_chown", "CAP_CHOWN "})
    EXPECT_EQ(capability_number(bad), std::nullopt) << bad;
}

TEST(KernelNames, EveryLimitOfTheKernelHasAName) {
  std::vector<int> seen;
  for (const auto& row : kRlimitNames) {
    EXPECT_EQ(rlimit_number(row.name), row.resource);
    seen.push_back(row.resource);
  }
  std::ranges::sort(seen);
  EXPECT_EQ(std::ranges::unique(seen).begin(), seen.end()) << "two names for one limit";
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(RLIM_NLIMITS));
  EXPECT_EQ(rlimit_number("NOFILE"), std::nullopt);
}

}  // namespace
}  // namespace berth::container
