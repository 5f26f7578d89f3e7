#include "container/isolate/attributes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/mempolicy.h>

namespace berth::container {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

AttributesPlan plan(const Spec& spec, SecurityModules modules = {}) {
  auto made = plan_attributes(spec, modules);
  EXPECT_TRUE(made.ok()) << made.error().message();
  return made.ok() ? std::move(*made) : AttributesPlan();
}

TEST(AttributesPlan, OfAPlainProcessIsEmpty) {
  const AttributesPlan made = plan({});
  EXPECT_FALSE(made.scheduler || made.io_priority || made.personality || made.memory_policy);
  EXPECT_EQ(made.apparmor + made.selinux, "");
}

TEST(AttributesPlan, TheSchedulerIsTheKernelsStructure) {
  Spec spec;
  spec.process.scheduler =
      Scheduler{.policy = SchedulerPolicy::kDeadline,
                .nice = 3,
                .priority = 0,
                .flags = {SchedulerFlag::kResetOnFork, SchedulerFlag::kDeadlineOverrun,
                          SchedulerFlag::kUtilClampMax},
                .runtime = 7,
                .deadline = 8,
                .period = 9};
  const SchedulerAttributes made = *plan(spec).scheduler;
  EXPECT_EQ(made.size, 56U);  // SCHED_ATTR_SIZE_VER1
  EXPECT_EQ(made.policy, 6U);
  EXPECT_EQ(made.nice, 3);
  EXPECT_EQ(made.flags, 0x45U);
  EXPECT_EQ(made.runtime, 7U);
  EXPECT_EQ(made.deadline, 8U);
  EXPECT_EQ(made.period, 9U);
  spec.process.scheduler = Scheduler{.policy = SchedulerPolicy::kFifo,
                                     .nice = 0,
                                     .priority = 42,
                                     .flags = {},
                                     .runtime = 0,
                                     .deadline = 0,
                                     .period = 0};
  EXPECT_EQ(plan(spec).scheduler->policy, 1U);
  EXPECT_EQ(plan(spec).scheduler->priority, 42U);
}

TEST(AttributesPlan, IoPriorityIsAClassAndALevel) {
  Spec spec;
  spec.process.io_priority = IoPriority{IoPriorityClass::kBestEffort, 3};
  EXPECT_EQ(plan(spec).io_priority, 2 << 13 | 3);
  spec.process.io_priority = IoPriority{IoPriorityClass::kRealtime, 0};
  EXPECT_EQ(plan(spec).io_priority, 1 << 13);
}

TEST(AttributesPlan, PersonalityIsADomain) {
  Spec spec;
  spec.linux_.personality = Personality{PersonalityDomain::kLinux32, {}};
  EXPECT_EQ(plan(spec).personality, 8UL);
  spec.linux_.personality = Personality{};
  EXPECT_EQ(plan(spec).personality, 0UL);
}

TEST(AttributesPlan, MemoryPolicyIsAModeWithFlagsAndNodes) {
  Spec spec;
  spec.linux_.memory_policy =
      MemoryPolicy{MemoryPolicyMode::kInterleave, "0,2", {MemoryPolicyFlag::kStaticNodes}};
  const MemoryPolicyPlan made = *plan(spec).memory_policy;
  EXPECT_EQ(made.mode, MPOL_INTERLEAVE | MPOL_F_STATIC_NODES);
  EXPECT_THAT(made.nodes, ElementsAre(5UL));
  spec.linux_.memory_policy = MemoryPolicy{MemoryPolicyMode::kWeightedInterleave, "0", {}};
  EXPECT_EQ(plan(spec).memory_policy->mode, 6);
}

TEST(AttributesPlan, AffinityIsAMask) {
  Spec spec;
  EXPECT_TRUE(plan(spec).initial_cpus.empty());
  spec.process.exec_cpu_affinity = CpuAffinity{"0-1", "64"};
  EXPECT_THAT(plan(spec).initial_cpus, ElementsAre(3UL));
  EXPECT_THAT(plan(spec).final_cpus, ElementsAre(0UL, 1UL));
}

TEST(AttributesPlan, LabelsAreForTheModuleThatIsThere) {
  const SecurityModules all{.apparmor = true, .selinux = true};
  Spec spec;
  spec.process.apparmor_profile = "docker-default";
  spec.process.selinux_label = "system_u:system_r:container_t:s0";
  EXPECT_EQ(plan(spec, all).apparmor, "exec docker-default");
  EXPECT_EQ(plan(spec, all).selinux, "system_u:system_r:container_t:s0");
}

TEST(AttributesPlan, ALabelWithoutItsModuleIsRefused) {
  Spec spec;
  spec.process.apparmor_profile = "unconfined";
  EXPECT_EQ(plan(spec).apparmor, "");
  spec.process.apparmor_profile = "docker-default";
  auto made = plan_attributes(spec, {.apparmor = false, .selinux = true});
  EXPECT_EQ(made.error().kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(made.error().message(), HasSubstr("process.apparmorProfile is 'docker-default'"));
  spec.process.apparmor_profile.clear();
  spec.process.selinux_label = "a:b:c";
  made = plan_attributes(spec, {.apparmor = true, .selinux = false});
  EXPECT_THAT(made.error().message(), HasSubstr("process.selinuxLabel is 'a:b:c', but SELinux"));
  spec.process.selinux_label.clear();
  spec.linux_.mount_label = "d:e:f";
  made = plan_attributes(spec, {});
  EXPECT_THAT(made.error().message(), HasSubstr("linux.mountLabel is 'd:e:f', but SELinux"));
}

}  // namespace
}  // namespace berth::container
