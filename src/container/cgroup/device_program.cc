#include "container/cgroup/device_program.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

#include "base/unique_fd.h"

namespace berth::container {
namespace {

enum Register : std::uint8_t {
  kResult = BPF_REG_0,
  kContext = BPF_REG_1,
  kType = BPF_REG_2,
  kAccess = BPF_REG_3,
  kMajor = BPF_REG_4,
  kMinor = BPF_REG_5
};

bpf_insn instruction(unsigned code, Register destination, Register source, std::int16_t offset,
                     std::int32_t value) {
  bpf_insn out = {};
  out.code = static_cast<std::uint8_t>(code);
  out.dst_reg = destination & 0xF;
  out.src_reg = source & 0xF;
  out.off = offset;
  out.imm = value;
  return out;
}

bpf_insn load(Register destination, std::size_t offset) {
  return instruction(BPF_LDX | BPF_MEM | BPF_W, destination, kContext,
                     static_cast<std::int16_t>(offset), 0);
}
bpf_insn and_with(Register destination, std::int32_t mask) {
  return instruction(BPF_ALU | BPF_AND | BPF_K, destination, kResult, 0, mask);
}
bpf_insn shift_right(Register destination, std::int32_t bits) {
  return instruction(BPF_ALU | BPF_RSH | BPF_K, destination, kResult, 0, bits);
}
bpf_insn set(Register destination, std::int32_t value) {
  return instruction(BPF_ALU | BPF_MOV | BPF_K, destination, kResult, 0, value);
}
bpf_insn copy(Register destination, Register source) {
  return instruction(BPF_ALU | BPF_MOV | BPF_X, destination, source, 0, 0);
}
/// The offset is filled in when the rule's end is known.
bpf_insn skip_rule_unless_equal(Register left, std::int32_t right) {
  return instruction(BPF_JMP | BPF_JNE | BPF_K, left, kResult, 0, right);
}

std::int32_t access_bits(const std::string& access) {
  if (access.empty()) return BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE | BPF_DEVCG_ACC_MKNOD;
  std::int32_t bits = 0;
  for (const char c : access) {
    if (c == 'r') bits |= BPF_DEVCG_ACC_READ;
    if (c == 'w') bits |= BPF_DEVCG_ACC_WRITE;
    if (c == 'm') bits |= BPF_DEVCG_ACC_MKNOD;
  }
  return bits;
}

// Of a device that the rule is for, an allowing rule takes what it allows off the access that is
// still asked for, and answers when nothing is left; a denying one answers if it covers any of it.
// Else the next rule decides.
void append_rule(std::vector<bpf_insn>& program, const DeviceRule& rule) {
  const std::size_t start = program.size();
  if (rule.type == "b") program.push_back(skip_rule_unless_equal(kType, BPF_DEVCG_DEV_BLOCK));
  if (rule.type == "c") program.push_back(skip_rule_unless_equal(kType, BPF_DEVCG_DEV_CHAR));
  if (rule.major.value_or(-1) >= 0)
    program.push_back(skip_rule_unless_equal(kMajor, static_cast<std::int32_t>(*rule.major)));
  if (rule.minor.value_or(-1) >= 0)
    program.push_back(skip_rule_unless_equal(kMinor, static_cast<std::int32_t>(*rule.minor)));
  const std::int32_t bits = access_bits(rule.access);
  const std::int32_t every = access_bits({});
  if (bits != every && rule.allow) {
    program.push_back(and_with(kAccess, every & ~bits));
    program.push_back(skip_rule_unless_equal(kAccess, 0));
  } else if (bits != every) {
    program.push_back(copy(kResult, kAccess));
    program.push_back(and_with(kResult, bits));
    program.push_back(instruction(BPF_JMP | BPF_JEQ | BPF_K, kResult, kResult, 0, 0));
  }
  program.push_back(set(kResult, rule.allow ? 1 : 0));
  program.push_back(instruction(BPF_JMP | BPF_EXIT, kResult, kResult, 0, 0));
  for (std::size_t i = start; i < program.size(); ++i) {
    const auto code = program[i].code;
    if (code == (BPF_JMP | BPF_JNE | BPF_K) || code == (BPF_JMP | BPF_JEQ | BPF_K))
      program[i].off = static_cast<std::int16_t>(program.size() - i - 1);
  }
}

}  // namespace

std::vector<bpf_insn> compile_device_rules(const std::vector<DeviceRule>& rules) {
  std::vector<bpf_insn> program;
  // access_type is the access in the upper and the device's type in the lower half.
  program.push_back(load(kType, offsetof(bpf_cgroup_dev_ctx, access_type)));
  program.push_back(copy(kAccess, kType));
  program.push_back(and_with(kType, 0xFFFF));
  program.push_back(shift_right(kAccess, 16));
  program.push_back(load(kMajor, offsetof(bpf_cgroup_dev_ctx, major)));
  program.push_back(load(kMinor, offsetof(bpf_cgroup_dev_ctx, minor)));
  bool decided = false;
  for (auto rule = rules.rbegin(); rule != rules.rend() && !decided; ++rule) {
    append_rule(program, *rule);
    // Nothing before a rule for everything can be reached, and the verifier refuses dead code.
    decided = (rule->type.empty() || rule->type == "a") &&
              access_bits(rule->access) == access_bits({}) && rule->major.value_or(-1) < 0 &&
              rule->minor.value_or(-1) < 0;
  }
  if (!decided) {
    program.push_back(set(kResult, 1));
    program.push_back(instruction(BPF_JMP | BPF_EXIT, kResult, kResult, 0, 0));
  }
  return program;
}

Result<void> attach_device_program(int cgroup, const std::vector<DeviceRule>& rules) {
  const std::vector<bpf_insn> program = compile_device_rules(rules);
  static constexpr char kLicense[] = "Apache-2.0";
  bpf_attr load_request = {};
  load_request.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  load_request.insn_cnt = static_cast<std::uint32_t>(program.size());
  load_request.insns = reinterpret_cast<std::uintptr_t>(program.data());
  load_request.license = reinterpret_cast<std::uintptr_t>(kLicense);
  const UniqueFd loaded(
      static_cast<int>(::syscall(SYS_bpf, BPF_PROG_LOAD, &load_request, sizeof load_request)));
  if (!loaded.valid()) return fail_errno("cannot load the device rules");
  bpf_attr attach_request = {};
  attach_request.target_fd = static_cast<std::uint32_t>(cgroup);
  attach_request.attach_bpf_fd = static_cast<std::uint32_t>(loaded.get());
  attach_request.attach_type = BPF_CGROUP_DEVICE;
  attach_request.attach_flags = BPF_F_ALLOW_MULTI;
  if (::syscall(SYS_bpf, BPF_PROG_ATTACH, &attach_request, sizeof attach_request) != 0)
    return fail_errno("cannot attach the device rules");
  return {};
}

}  // namespace berth::container
