#include "container/seccomp/compiler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>

#include "container/seccomp/default_profile.h"
#include "container/seccomp/syscall_table.h"

namespace berth::container {
namespace {

using ::testing::HasSubstr;

constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t kKill = SECCOMP_RET_KILL_PROCESS;
constexpr std::uint32_t kEperm = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t kEnosys = SECCOMP_RET_ERRNO | ENOSYS;

SeccompRule rule(std::vector<std::string> names, SeccompAction action,
                 std::vector<SeccompArg> args = {}) {
  return {.names = std::move(names), .action = action, .errno_ret = {}, .args = std::move(args)};
}

SeccompProfile profile(SeccompAction fallback, std::vector<SeccompRule> rules) {
  return {.default_action = fallback,
          .default_errno_ret = {},
          .architectures = {},
          .flags = {},
          .syscalls = std::move(rules)};
}

std::vector<sock_filter> compile(const SeccompProfile& profile) {
  auto program = compile_seccomp(profile);
  EXPECT_TRUE(program.ok()) << program.error().message();
  return program.ok() ? program->filter : std::vector<sock_filter>();
}

std::uint32_t ask(const std::vector<sock_filter>& filter, std::uint32_t number,
                  const std::uint64_t (&args)[6] = {}, std::uint32_t arch = AUDIT_ARCH_X86_64) {
  return run_filter(filter, arch, number, args);
}

std::uint32_t number(std::string_view name, SyscallAbi abi = SyscallAbi::kX86_64) {
  return static_cast<std::uint32_t>(find_syscall(name)->number(abi));
}

TEST(Seccomp, CallsOfARuleGetItsActionAndOthersTheDefault) {
  const auto filter =
      compile(profile(SeccompAction::kTrap, {rule({"read", "close"}, SeccompAction::kAllow)}));
  EXPECT_EQ(ask(filter, SYS_read), kAllow);
  EXPECT_EQ(ask(filter, SYS_write), SECCOMP_RET_TRAP);
  EXPECT_EQ(ask(filter, SYS_open), SECCOMP_RET_TRAP);
  EXPECT_EQ(ask(filter, SYS_close), kAllow);
  EXPECT_EQ(ask(filter, SYS_getpid), SECCOMP_RET_TRAP);
}

TEST(Seccomp, AProfileWithoutRulesIsItsDefault) {
  const auto filter = compile(profile(SeccompAction::kErrno, {}));
  for (const std::uint32_t call : {0U, 59U, 435U, 1000U}) EXPECT_EQ(ask(filter, call), kEperm);
  EXPECT_EQ(ask(compile(profile(SeccompAction::kAllow, {})), 1000), kAllow);
}

TEST(Seccomp, EveryActionHasItsValue) {
  const std::pair<SeccompAction, std::uint32_t> actions[] = {
      {SeccompAction::kKillThread, SECCOMP_RET_KILL_THREAD},
      {SeccompAction::kKillProcess, SECCOMP_RET_KILL_PROCESS},
      {SeccompAction::kTrap, SECCOMP_RET_TRAP},
      {SeccompAction::kErrno, SECCOMP_RET_ERRNO | EPERM},
      {SeccompAction::kTrace, SECCOMP_RET_TRACE | EPERM},
      {SeccompAction::kAllow, SECCOMP_RET_ALLOW},
      {SeccompAction::kLog, SECCOMP_RET_LOG}};
  for (const auto& [action, value] : actions) {
    EXPECT_EQ(ask(compile(profile(SeccompAction::kTrap, {rule({"read"}, action)})), SYS_read),
              value);
    EXPECT_EQ(ask(compile(profile(action, {})), SYS_read), value);
  }
}

TEST(Seccomp, ErrnosAreTheRulesOrTheProfilesOwn) {
  SeccompProfile odd =
      profile(SeccompAction::kErrno, {rule({"read", "getpid"}, SeccompAction::kErrno)});
  odd.default_errno_ret = EACCES;
  odd.syscalls[0].errno_ret = 0;
  const auto filter = compile(odd);
  EXPECT_EQ(ask(filter, SYS_read), SECCOMP_RET_ERRNO | 0U);
  EXPECT_EQ(ask(filter, SYS_write), static_cast<std::uint32_t>(SECCOMP_RET_ERRNO | EACCES));
}

TEST(Seccomp, CallsNewerThanTheProfileAreNotImplemented) {
  const auto filter =
      compile(profile(SeccompAction::kErrno, {rule({"read", "openat2"}, SeccompAction::kAllow)}));
  EXPECT_EQ(ask(filter, number("openat2") - 1), kEperm);
  EXPECT_EQ(ask(filter, number("openat2")), kAllow);
  EXPECT_EQ(ask(filter, number("openat2") + 1), kEnosys);
  EXPECT_EQ(ask(filter, 0x3FFFFFFF), kEnosys);
  const auto killing =
      compile(profile(SeccompAction::kKillProcess, {rule({"read"}, SeccompAction::kAllow)}));
  EXPECT_EQ(ask(killing, 1000), kKill) << "only an errno is made a kinder one";
}

TEST(Seccomp, NamesThatNobodyKnowsAreSkipped) {
  const auto filter = compile(
      profile(SeccompAction::kErrno,
              {rule({"no_such_call", "read", "s390_pci_mmio_read"}, SeccompAction::kAllow)}));
  EXPECT_EQ(ask(filter, SYS_read), kAllow);
  EXPECT_EQ(ask(filter, SYS_write), kEnosys);
}

// What each operator says of an argument; the values straddle the halves of 64 bits.
TEST(Seccomp, ArgumentsAreComparedInAll64Bits) {
  constexpr std::uint64_t kValues[] = {0,
                                       1,
                                       2,
                                       0x7FFFFFFF,
                                       0x80000000,
                                       0xFFFFFFFF,
                                       0x1'0000'0000,
                                       0x1'0000'0001,
                                       0x1'FFFF'FFFF,
                                       0x2'0000'0000,
                                       0x8000'0000'0000'0000,
                                       0xFFFF'FFFF'FFFF'FFFF};
  struct Row {
    SeccompOperator op;
    bool (*holds)(std::uint64_t, std::uint64_t);
  };
  constexpr Row kRows[] = {
      {SeccompOperator::kEq, [](std::uint64_t a, std::uint64_t b) { return a == b; }},
      {SeccompOperator::kNe, [](std::uint64_t a, std::uint64_t b) { return a != b; }},
      {SeccompOperator::kLt, [](std::uint64_t a, std::uint64_t b) { return a < b; }},
      {SeccompOperator::kLe, [](std::uint64_t a, std::uint64_t b) { return a <= b; }},
      {SeccompOperator::kGt, [](std::uint64_t a, std::uint64_t b) { return a > b; }},
      {SeccompOperator::kGe, [](std::uint64_t a, std::uint64_t b) { return a >= b; }},
  };
  for (const Row& row : kRows)
    for (const std::uint64_t value : kValues) {
      const auto filter =
          compile(profile(SeccompAction::kTrap,
                          {rule({"ioctl"}, SeccompAction::kAllow,
                                {{.index = 5, .value = value, .value_two = 0, .op = row.op}})}));
      for (const std::uint64_t given : kValues)
        EXPECT_EQ(ask(filter, SYS_ioctl, {0, 0, 0, 0, 0, given}),
                  row.holds(given, value) ? kAllow : SECCOMP_RET_TRAP)
            << "operator " << static_cast<int>(row.op) << ": " << given << " and " << value;
    }
}

TEST(Seccomp, AMaskIsAppliedToBothHalves) {
  const auto filter =
      compile(profile(SeccompAction::kTrap, {rule({"clone"}, SeccompAction::kAllow,
                                                  {{.index = 0,
                                                    .value = 0xF0'0000'00F0,
                                                    .value_two = 0x10'0000'0020,
                                                    .op = SeccompOperator::kMaskedEq}})}));
  EXPECT_EQ(ask(filter, SYS_clone, {0x10'0000'0020}), kAllow);
  EXPECT_EQ(ask(filter, SYS_clone, {0xF1F'FFFF'FF2F}), kAllow) << "other bits do not matter";
  EXPECT_EQ(ask(filter, SYS_clone, {0x00'0000'0020}), SECCOMP_RET_TRAP);
  EXPECT_EQ(ask(filter, SYS_clone, {0x10'0000'0000}), SECCOMP_RET_TRAP);
  EXPECT_EQ(ask(filter, SYS_clone, {0x10'0000'00A0}), SECCOMP_RET_TRAP);
}

TEST(Seccomp, AllArgumentsOfARuleHaveToHold) {
  const auto filter = compile(
      profile(SeccompAction::kTrap,
              {rule({"ioctl"}, SeccompAction::kAllow,
                    {{.index = 0, .value = 1, .value_two = 0, .op = SeccompOperator::kEq},
                     {.index = 1, .value = 5, .value_two = 0, .op = SeccompOperator::kGt},
                     {.index = 2, .value = 9, .value_two = 0, .op = SeccompOperator::kNe}})}));
  EXPECT_EQ(ask(filter, SYS_ioctl, {1, 6}), kAllow);
  EXPECT_EQ(ask(filter, SYS_ioctl, {2, 6}), SECCOMP_RET_TRAP);
  EXPECT_EQ(ask(filter, SYS_ioctl, {1, 5}), SECCOMP_RET_TRAP);
  EXPECT_EQ(ask(filter, SYS_ioctl, {1, 6, 9}), SECCOMP_RET_TRAP);
}

TEST(Seccomp, AnyRuleOfACallMayHoldAndTheFirstThatDoesDecides) {
  const auto equals = [](std::uint64_t value) {
    return std::vector<SeccompArg>{
        {.index = 0, .value = value, .value_two = 0, .op = SeccompOperator::kEq}};
  };
  const auto filter = compile(
      profile(SeccompAction::kTrap, {rule({"personality"}, SeccompAction::kAllow, equals(0)),
                                     rule({"personality"}, SeccompAction::kLog, equals(8)),
                                     rule({"personality"}, SeccompAction::kErrno, equals(8))}));
  EXPECT_EQ(ask(filter, SYS_personality, {0}), kAllow);
  EXPECT_EQ(ask(filter, SYS_personality, {8}), SECCOMP_RET_LOG);
  EXPECT_EQ(ask(filter, SYS_personality, {9}), SECCOMP_RET_TRAP);
}

TEST(Seccomp, ARuleWithoutConditionsMakesThoseWithSomeMoot) {
  const std::vector<SeccompArg> zero = {
      {.index = 0, .value = 0, .value_two = 0, .op = SeccompOperator::kEq}};
  for (const bool first : {true, false}) {
    std::vector<SeccompRule> rules = {rule({"clone"}, SeccompAction::kErrno, zero),
                                      rule({"clone"}, SeccompAction::kAllow)};
    if (first) std::swap(rules[0], rules[1]);
    EXPECT_EQ(ask(compile(profile(SeccompAction::kTrap, rules)), SYS_clone, {0}), kAllow);
  }
}

TEST(Seccomp, OfTwoActionsForOneCallTheFirstCounts) {
  const auto allow = rule({"read"}, SeccompAction::kAllow);
  const auto refuse = rule({"read"}, SeccompAction::kErrno);
  EXPECT_EQ(ask(compile(profile(SeccompAction::kTrap, {allow, refuse})), SYS_read), kAllow);
  EXPECT_EQ(ask(compile(profile(SeccompAction::kTrap, {refuse, allow})), SYS_read),
            SECCOMP_RET_ERRNO | EPERM);
}

TEST(Seccomp, ARuleOfTooManyComparisonsIsInvalid) {
  std::vector<SeccompArg> args(
      17, {.index = 0, .value = 1, .value_two = 1, .op = SeccompOperator::kMaskedEq});
  const auto too_long =
      compile_seccomp(profile(SeccompAction::kTrap, {rule({"read"}, SeccompAction::kAllow, args)}));
  EXPECT_EQ(too_long.error().kind(), ErrorKind::kInvalid);
  EXPECT_THAT(too_long.error().message(), HasSubstr("more than 16 arguments"));
  args.pop_back();
  const auto filter =
      compile(profile(SeccompAction::kTrap, {rule({"read"}, SeccompAction::kAllow, args)}));
  EXPECT_EQ(ask(filter, SYS_read, {1}), kAllow);
  EXPECT_EQ(ask(filter, SYS_read, {2}), SECCOMP_RET_TRAP);
}

TEST(Seccomp, AProfileBeyondWhatTheKernelTakesIsRefused) {
  std::vector<SeccompRule> rules;
  for (std::uint64_t i = 0; i < 1000; ++i)
    rules.push_back(rule({"ioctl"}, SeccompAction::kAllow,
                         {{.index = 1, .value = i, .value_two = 0, .op = SeccompOperator::kEq}}));
  const auto program = compile_seccomp(profile(SeccompAction::kTrap, rules));
  ASSERT_FALSE(program.ok());
  EXPECT_EQ(program.error().kind(), ErrorKind::kExhausted);
  EXPECT_THAT(program.error().message(), HasSubstr("the kernel takes 4096"));
}

// Blocks of comparisons are longer than a jump's 8 bits reach.
TEST(Seccomp, CallsBehindALongListOfComparisonsAreFound) {
  std::vector<SeccompRule> rules = {rule({"read", "getpid", "openat2"}, SeccompAction::kAllow)};
  for (std::uint64_t i = 0; i < 200; ++i)
    rules.push_back(rule({"ioctl"}, SeccompAction::kAllow,
                         {{.index = 1, .value = i, .value_two = 0, .op = SeccompOperator::kEq}}));
  SeccompProfile both = profile(SeccompAction::kTrap, rules);
  both.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
  const auto filter = compile(both);
  EXPECT_EQ(ask(filter, SYS_read), kAllow);
  EXPECT_EQ(ask(filter, SYS_ioctl, {0, 199}), kAllow);
  EXPECT_EQ(ask(filter, SYS_ioctl, {0, 200}), SECCOMP_RET_TRAP);
  EXPECT_EQ(ask(filter, SYS_getpid), kAllow);
  EXPECT_EQ(ask(filter, SYS_getppid), SECCOMP_RET_TRAP);
  EXPECT_EQ(ask(filter, number("openat2")), kAllow);
  EXPECT_EQ(ask(filter, number("getpid", SyscallAbi::kX86), {}, AUDIT_ARCH_I386), kAllow);
  EXPECT_EQ(ask(filter, kX32Bit | number("getpid", SyscallAbi::kX32)), kAllow);
}

TEST(Seccomp, CallsOfAnArchitectureThatIsNotListedKill) {
  const auto filter =
      compile(profile(SeccompAction::kAllow, {rule({"read"}, SeccompAction::kErrno)}));
  EXPECT_EQ(ask(filter, SYS_read), kEperm);
  EXPECT_EQ(ask(filter, 3, {}, AUDIT_ARCH_I386), kKill);
  EXPECT_EQ(ask(filter, kX32Bit | SYS_read), kKill);
  EXPECT_EQ(ask(filter, SYS_read, {}, AUDIT_ARCH_AARCH64), kKill);
}

TEST(Seccomp, EachArchitectureHasItsOwnNumbers) {
  SeccompProfile three = profile(SeccompAction::kErrno,
                                 {rule({"socketcall", "read", "openat2"}, SeccompAction::kAllow)});
  three.architectures = {"SCMP_ARCH_X86", "SCMP_ARCH_X32"};
  const auto filter = compile(three);
  EXPECT_EQ(ask(filter, number("socketcall", SyscallAbi::kX86), {}, AUDIT_ARCH_I386), kAllow);
  EXPECT_EQ(ask(filter, 102, {}, AUDIT_ARCH_X86_64), kEperm) << "getuid, where x86 has socketcall";
  EXPECT_EQ(ask(filter, 3, {}, AUDIT_ARCH_I386), kAllow);
  EXPECT_EQ(ask(filter, 4, {}, AUDIT_ARCH_I386), kEperm);
  EXPECT_EQ(ask(filter, 1000, {}, AUDIT_ARCH_I386), kEnosys);
  EXPECT_EQ(ask(filter, kX32Bit | 0), kAllow);
  EXPECT_EQ(ask(filter, kX32Bit | 1), kEperm);
  EXPECT_EQ(ask(filter, kX32Bit | 1000), kEnosys);
}

TEST(Seccomp, A32BitCallIsComparedByTheLowerHalf) {
  SeccompProfile x86 =
      profile(SeccompAction::kTrap,
              {rule({"ioctl"}, SeccompAction::kAllow,
                    {{.index = 0, .value = 7, .value_two = 0, .op = SeccompOperator::kEq}})});
  x86.architectures = {"SCMP_ARCH_X86"};
  const auto filter = compile(x86);
  EXPECT_EQ(ask(filter, 54, {7}, AUDIT_ARCH_I386), kAllow);
  EXPECT_EQ(ask(filter, 54, {8}, AUDIT_ARCH_I386), SECCOMP_RET_TRAP);
  EXPECT_EQ(ask(filter, SYS_ioctl, {0x1'0000'0007}), SECCOMP_RET_TRAP);
}

TEST(Seccomp, FlagsAreTakenOrRefusedByName) {
  SeccompProfile flags = profile(SeccompAction::kAllow, {});
  flags.flags = {"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
                 "SECCOMP_FILTER_FLAG_SPEC_ALLOW"};
  EXPECT_EQ(compile_seccomp(flags)->flags,
            SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW);
  flags.flags = {"SECCOMP_FILTER_FLAG_NEW_LISTENER"};
  const auto refused = compile_seccomp(flags);
  EXPECT_EQ(refused.error().kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(refused.error().message(), HasSubstr("SECCOMP_FILTER_FLAG_NEW_LISTENER"));
}

TEST(Seccomp, EveryCallOfTheTableGetsItsOwnAnswer) {
  for (const SyscallAbi abi : {SyscallAbi::kX86_64, SyscallAbi::kX86, SyscallAbi::kX32}) {
    // Every other call of the ABI.
    std::vector<std::uint32_t> allowed;
    SeccompRule half = rule({}, SeccompAction::kAllow);
    for (std::size_t i = 0; i < syscall_table().size(); i += 2) {
      if (syscall_table()[i].number(abi) < 0) continue;
      half.names.emplace_back(syscall_table()[i].name);
      allowed.push_back(static_cast<std::uint32_t>(syscall_table()[i].number(abi)));
    }
    SeccompProfile all = profile(SeccompAction::kTrap, {half});
    all.architectures = {"SCMP_ARCH_X86", "SCMP_ARCH_X32"};
    const auto filter = compile(all);
    for (const SyscallRow& row : syscall_table()) {
      if (row.number(abi) < 0) continue;
      const auto call = static_cast<std::uint32_t>(row.number(abi));
      const bool wanted = std::ranges::find(allowed, call) != allowed.end();
      EXPECT_EQ(ask(filter, abi == SyscallAbi::kX32 ? call | kX32Bit : call, {},
                    abi == SyscallAbi::kX86 ? AUDIT_ARCH_I386 : AUDIT_ARCH_X86_64),
                wanted ? kAllow : SECCOMP_RET_TRAP)
          << row.name;
    }
  }
}

TEST(Seccomp, TheDefaultProfileIsWithinTheKernelsLimit) {
  const auto filter = compile(default_seccomp_profile({}));
  EXPECT_EQ(ask(filter, SYS_read), kAllow);
  EXPECT_EQ(ask(filter, SYS_mount), kEperm);
  EXPECT_EQ(ask(filter, SYS_personality, {0xFFFFFFFF}), kAllow);
  EXPECT_EQ(ask(filter, SYS_personality, {1}), kEperm);
  EXPECT_EQ(ask(filter, SYS_clone, {0x7E020000}), kEperm);
  EXPECT_EQ(ask(filter, SYS_clone, {0x00010f00}), kAllow);
}

TEST(FilterInterpreter, EndsWhereTheKernelWouldNotLoad) {
  EXPECT_EQ(run_filter({}, AUDIT_ARCH_X86_64, 0, {}), kKill);
  EXPECT_EQ(run_filter({{BPF_LD | BPF_W | BPF_ABS, 0, 0, 0}}, AUDIT_ARCH_X86_64, 0, {}), kKill);
  EXPECT_EQ(
      run_filter({{BPF_ST, 0, 0, 0}, {BPF_RET | BPF_K, 0, 0, kAllow}}, AUDIT_ARCH_X86_64, 0, {}),
      kKill);
}

}  // namespace
}  // namespace berth::container
