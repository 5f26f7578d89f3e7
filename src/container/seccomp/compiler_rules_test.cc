// Where rules mean what they mean to runc, though the specification says less.
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include "container/seccomp/compiler.h"

namespace berth::container {
namespace {

SeccompArg equals(std::uint32_t index, std::uint64_t value) {
  return {.index = index, .value = value, .value_two = 0, .op = SeccompOperator::kEq};
}

SeccompProfile profile(SeccompAction fallback, std::vector<SeccompRule> rules) {
  return {.default_action = fallback,
          .default_errno_ret = {},
          .architectures = {},
          .flags = {},
          .syscalls = std::move(rules)};
}

SeccompRule rule(const char* name, SeccompAction action, std::vector<SeccompArg> args = {}) {
  return {.names = {name}, .action = action, .errno_ret = {}, .args = std::move(args)};
}

std::uint32_t ask(const SeccompProfile& profile, std::uint32_t call,
                  const std::uint64_t (&args)[6] = {}) {
  const auto program = compile_seccomp(profile);
  EXPECT_TRUE(program.ok()) << program.error().message();
  return program.ok() ? run_filter(program->filter, AUDIT_ARCH_X86_64, call, args) : 0;
}

TEST(SeccompRules, AnArgumentComparedTwiceMakesEachComparisonARule) {
  const auto twice =
      profile(SeccompAction::kTrap,
              {rule("ioctl", SeccompAction::kAllow, {equals(1, 5), equals(1, 9), equals(0, 7)})});
  EXPECT_EQ(ask(twice, SYS_ioctl, {0, 5}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(ask(twice, SYS_ioctl, {0, 9}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(ask(twice, SYS_ioctl, {7, 0}), SECCOMP_RET_ALLOW) << "the other argument's too";
  EXPECT_EQ(ask(twice, SYS_ioctl, {0, 6}), SECCOMP_RET_TRAP);
  const auto once = profile(SeccompAction::kTrap,
                            {rule("ioctl", SeccompAction::kAllow, {equals(1, 5), equals(0, 7)})});
  EXPECT_EQ(ask(once, SYS_ioctl, {0, 5}), SECCOMP_RET_TRAP);
  EXPECT_EQ(ask(once, SYS_ioctl, {7, 5}), SECCOMP_RET_ALLOW);
}

TEST(SeccompRules, WhatIsTheDefaultAnywaySaysNothing) {
  const auto same = profile(SeccompAction::kErrno, {rule("read", SeccompAction::kErrno),
                                                    rule("read", SeccompAction::kAllow),
                                                    rule("clone", SeccompAction::kErrno)});
  EXPECT_EQ(ask(same, SYS_read), SECCOMP_RET_ALLOW) << "no contradiction";
  EXPECT_EQ(ask(same, SYS_clone), SECCOMP_RET_ERRNO | 1U) << "known, so not ENOSYS";
  EXPECT_EQ(ask(same, SYS_openat2), SECCOMP_RET_ERRNO | 38U);
}

}  // namespace
}  // namespace berth::container
