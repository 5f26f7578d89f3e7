// The program is run by an interpreter of the instructions it uses, and its verdicts are compared
// with what the rules say, read from the last to the first.
#include "container/cgroup/device_program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>

#include "container/isolate/devices.h"

namespace berth::container {
namespace {

constexpr std::uint32_t kRead = BPF_DEVCG_ACC_READ;
constexpr std::uint32_t kWrite = BPF_DEVCG_ACC_WRITE;
constexpr std::uint32_t kMknod = BPF_DEVCG_ACC_MKNOD;
constexpr std::uint32_t kAll = kRead | kWrite | kMknod;

struct Question {
  char type;
  std::uint32_t major;
  std::uint32_t minor;
  std::uint32_t access;
};

// What the program leaves in r0; nothing: it does what the verifier would refuse.
std::optional<std::uint64_t> run(const std::vector<bpf_insn>& program, const Question& question) {
  bpf_cgroup_dev_ctx context = {};
  context.access_type =
      question.access << 16 |
      static_cast<std::uint32_t>(question.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
  context.major = question.major;
  context.minor = question.minor;
  std::map<int, std::uint64_t> registers;  // those that were set
  for (std::size_t at = 0; at < program.size(); ++at) {
    const bpf_insn& step = program[at];
    const auto operand = static_cast<std::uint32_t>(step.imm);
    const bool reads =
        step.code != (BPF_ALU | BPF_MOV | BPF_K) && step.code != (BPF_LDX | BPF_MEM | BPF_W);
    if (step.code == (BPF_JMP | BPF_EXIT)) {
      if (!registers.contains(BPF_REG_0)) return std::nullopt;
      return registers.at(BPF_REG_0);
    }
    const int source = step.code == (BPF_ALU | BPF_MOV | BPF_X) ? step.src_reg : step.dst_reg;
    if (reads && !registers.contains(source)) return std::nullopt;
    std::uint64_t& to = registers[step.dst_reg];
    switch (step.code) {
      case BPF_LDX | BPF_MEM | BPF_W: {
        if (step.src_reg != BPF_REG_1 || step.off < 0 ||
            static_cast<std::size_t>(step.off) + 4 > sizeof context)
          return std::nullopt;
        std::uint32_t word = 0;
        std::memcpy(&word, reinterpret_cast<const char*>(&context) + step.off, sizeof word);
        to = word;
        break;
      }
      // 32-bit operations clear the upper half.
      case BPF_ALU | BPF_AND | BPF_K:
        to = static_cast<std::uint32_t>(to) & operand;
        break;
      case BPF_ALU | BPF_RSH | BPF_K:
        to = static_cast<std::uint32_t>(to) >> operand;
        break;
      case BPF_ALU | BPF_MOV | BPF_K:
        to = operand;
        break;
      case BPF_ALU | BPF_MOV | BPF_X:
        to = static_cast<std::uint32_t>(registers.at(step.src_reg));
        break;
      // Jumps compare 64 bits with the sign-extended operand.
      case BPF_JMP | BPF_JEQ | BPF_K:
        if (to == static_cast<std::uint64_t>(std::int64_t{step.imm}))
          at += static_cast<std::size_t>(step.off);
        break;
      case BPF_JMP | BPF_JNE | BPF_K:
        if (to != static_cast<std::uint64_t>(std::int64_t{step.imm}))
          at += static_cast<std::size_t>(step.off);
        break;
      default:
        return std::nullopt;
    }
  }
  return std::nullopt;  // it ran off the end
}

// No jump leads outside, and every instruction is reached: what the verifier asks for.
void expect_loadable(const std::vector<bpf_insn>& program) {
  std::vector<bool> reached(program.size(), false);
  reached[0] = true;
  for (std::size_t at = 0; at < program.size(); ++at) {
    const auto code = program[at].code;
    EXPECT_TRUE(reached[at]) << "instruction " << at << " is dead";
    if (code == (BPF_JMP | BPF_EXIT)) continue;
    ASSERT_LT(at + 1, program.size()) << "the program runs off its end";
    reached[at + 1] = true;
    if (BPF_CLASS(code) != BPF_JMP) continue;
    ASSERT_GE(program[at].off, 0) << "instruction " << at << " jumps back";
    const std::size_t target = at + 1 + static_cast<std::size_t>(program[at].off);
    ASSERT_LT(target, program.size()) << "instruction " << at << " jumps outside";
    reached[target] = true;
  }
}

DeviceRule rule(bool allow, const char* type, std::optional<std::int64_t> major,
                std::optional<std::int64_t> minor, const char* access) {
  return {.allow = allow, .type = type, .major = major, .minor = minor, .access = access};
}

std::uint32_t bits_of(const std::string& access) {
  if (access.empty()) return kAll;
  return (access.find('r') != std::string::npos ? kRead : 0) |
         (access.find('w') != std::string::npos ? kWrite : 0) |
         (access.find('m') != std::string::npos ? kMknod : 0);
}

bool matches(const DeviceRule& rule, const Question& question, std::uint32_t bit) {
  const bool any_type = rule.type.empty() || rule.type == "a";
  return (any_type || rule.type[0] == question.type) &&
         (rule.major.value_or(-1) < 0 || *rule.major == question.major) &&
         (rule.minor.value_or(-1) < 0 || *rule.minor == question.minor) &&
         (bits_of(rule.access) & bit) != 0;
}

// The rules as the interface states them.
bool expected(const std::vector<DeviceRule>& rules, const Question& question) {
  for (const std::uint32_t bit : {kRead, kWrite, kMknod}) {
    if ((question.access & bit) == 0) continue;
    const auto last = std::find_if(rules.rbegin(), rules.rend(), [&](const DeviceRule& rule) {
      return matches(rule, question, bit);
    });
    if (last != rules.rend() && !last->allow) return false;
  }
  return true;
}

void expect_agreement(const std::vector<DeviceRule>& rules) {
  const auto program = compile_device_rules(rules);
  expect_loadable(program);
  for (const char type : {'b', 'c'})
    for (const std::uint32_t major : {0U, 1U, 3U, 136U, 4095U})
      for (const std::uint32_t minor : {0U, 3U, 5U, 1048575U})
        for (std::uint32_t access = 1; access <= kAll; ++access) {
          const auto verdict = run(program, {type, major, minor, access});
          ASSERT_TRUE(verdict.has_value());
          EXPECT_EQ(*verdict, expected(rules, {type, major, minor, access}) ? 1U : 0U)
              << type << " " << major << ":" << minor << " access " << access;
        }
}

TEST(DeviceProgram, WithoutRulesAllowsEverything) {
  expect_agreement({});
  EXPECT_EQ(run(compile_device_rules({}), {'c', 1, 3, kAll}), 1U);
}

TEST(DeviceProgram, TheLastRuleThatMatchesDecides) {
  const auto deny_null =
      compile_device_rules({rule(true, "a", {}, {}, "rwm"), rule(false, "c", 1, 3, "rwm")});
  EXPECT_EQ(run(deny_null, {'c', 1, 3, kRead}), 0U);
  EXPECT_EQ(run(deny_null, {'c', 1, 5, kRead}), 1U);
  const auto allow_null =
      compile_device_rules({rule(false, "a", {}, {}, "rwm"), rule(true, "c", 1, 3, "rwm")});
  EXPECT_EQ(run(allow_null, {'c', 1, 3, kRead}), 1U);
  EXPECT_EQ(run(allow_null, {'b', 1, 3, kRead}), 0U);
  EXPECT_EQ(run(allow_null, {'c', 1, 5, kRead}), 0U);
}

TEST(DeviceProgram, AnAllowingRuleAllowsNoMoreThanItSays) {
  const auto program =
      compile_device_rules({rule(false, "", {}, {}, ""), rule(true, "c", 1, 3, "rm")});
  EXPECT_EQ(run(program, {'c', 1, 3, kRead}), 1U);
  EXPECT_EQ(run(program, {'c', 1, 3, kRead | kMknod}), 1U);
  EXPECT_EQ(run(program, {'c', 1, 3, kRead | kWrite}), 0U);
}

// As in v1, where the kernel joins what it is told of one device.
TEST(DeviceProgram, AllowingRulesAddUp) {
  const auto program = compile_device_rules(
      {rule(false, "a", {}, {}, ""), rule(true, "c", 1, 3, "r"), rule(true, "c", 1, {}, "w")});
  EXPECT_EQ(run(program, {'c', 1, 3, kRead | kWrite}), 1U);
  EXPECT_EQ(run(program, {'c', 1, 5, kRead | kWrite}), 0U);
  EXPECT_EQ(run(program, {'c', 1, 3, kAll}), 0U);
  // What was taken back in between stays so.
  const auto taken_back = compile_device_rules(
      {rule(true, "c", 1, 3, "r"), rule(false, "c", 1, 3, "rw"), rule(true, "c", 1, 3, "w")});
  EXPECT_EQ(run(taken_back, {'c', 1, 3, kWrite}), 1U);
  EXPECT_EQ(run(taken_back, {'c', 1, 3, kRead | kWrite}), 0U);
}

TEST(DeviceProgram, ADenyingRuleCoversAnyPartOfTheAccess) {
  const auto program = compile_device_rules({rule(false, "c", 1, 3, "w")});
  EXPECT_EQ(run(program, {'c', 1, 3, kRead}), 1U);
  EXPECT_EQ(run(program, {'c', 1, 3, kRead | kWrite}), 0U);
}

TEST(DeviceProgram, NumbersThatAreAbsentOrMinusOneAreAnyNumber) {
  for (const std::optional<std::int64_t> any :
       {std::optional<std::int64_t>(), std::optional<std::int64_t>(-1)}) {
    const auto program =
        compile_device_rules({rule(false, "a", any, any, ""), rule(true, "c", 136, any, "rwm")});
    EXPECT_EQ(run(program, {'c', 136, 77, kRead}), 1U);
    EXPECT_EQ(run(program, {'c', 137, 77, kRead}), 0U);
  }
}

TEST(DeviceProgram, HasNoDeadCodeBehindARuleForEverything) {
  const auto short_one = compile_device_rules({rule(false, "a", {}, {}, "")});
  EXPECT_EQ(
      compile_device_rules({rule(true, "c", 1, 3, "r"), rule(false, "", -1, -1, "rwm")}).size(),
      short_one.size());
}

TEST(DeviceProgram, AgreesWithItsRules) {
  expect_agreement({rule(false, "a", {}, {}, "rwm")});
  expect_agreement({rule(false, "a", {}, {}, "w"), rule(true, "b", 3, {}, "w")});
  expect_agreement({rule(true, "a", 1, 3, "r"), rule(false, "b", {}, 3, "rm")});
  expect_agreement({rule(true, "c", {}, {}, "m"), rule(true, "b", {}, {}, "m"),
                    rule(false, "c", 1, {}, "m"), rule(true, "c", 1, 3, "rwm")});
  expect_agreement({rule(false, "a", {}, {}, ""), rule(true, "c", 1, 3, "r"),
                    rule(true, "a", {}, 3, "w"), rule(false, "b", 1, {}, "m"),
                    rule(true, "", 1, {}, "m")});
  expect_agreement({rule(false, "", {}, {}, ""), rule(true, "a", {}, {}, "r"),
                    rule(false, "c", 4095, 1048575, "r")});
  std::vector<DeviceRule> defaults = default_device_rules();
  defaults.insert(defaults.begin(), rule(false, "a", {}, {}, "rwm"));
  expect_agreement(defaults);
}

TEST(DeviceProgram, DefaultRulesOpenTheDefaultDevicesAlone) {
  std::vector<DeviceRule> rules = default_device_rules();
  rules.insert(rules.begin(), rule(false, "a", {}, {}, "rwm"));
  const auto program = compile_device_rules(rules);
  EXPECT_EQ(run(program, {'c', 1, 3, kRead | kWrite}), 1U);    // null
  EXPECT_EQ(run(program, {'c', 136, 0, kRead | kWrite}), 1U);  // pts/0
  EXPECT_EQ(run(program, {'c', 1, 1, kRead}), 0U);             // mem
  EXPECT_EQ(run(program, {'b', 8, 0, kRead}), 0U);             // sda
  EXPECT_EQ(run(program, {'b', 8, 0, kMknod}), 1U);
}

}  // namespace
}  // namespace berth::container
