#include "container/seccomp/compiler.h"

#include <linux/audit.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <map>
#include <span>

#include "container/seccomp/syscall_table.h"

namespace berth::container {
namespace {

constexpr std::size_t kMaxArgs = 16;  // of one rule, so that a rule's jumps fit into their 8 bits

using Filter = std::vector<sock_filter>;

sock_filter statement(unsigned code, std::uint32_t k) {
  return {static_cast<std::uint16_t>(code), 0, 0, k};
}
sock_filter jump(unsigned code, std::uint32_t k, std::size_t if_true, std::size_t if_false) {
  return {static_cast<std::uint16_t>(code), static_cast<std::uint8_t>(if_true),
          static_cast<std::uint8_t>(if_false), k};
}
sock_filter load(std::size_t offset) {
  return statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
sock_filter answer(std::uint32_t value) {
  return statement(BPF_RET | BPF_K, value);
}
void append(Filter& to, const Filter& from) {
  to.insert(to.end(), from.begin(), from.end());
}

std::uint32_t action_value(SeccompAction action, std::optional<std::uint32_t> errno_ret) {
  const std::uint32_t data = errno_ret.value_or(EPERM) & SECCOMP_RET_DATA;
  switch (action) {
    case SeccompAction::kKillThread:
      return SECCOMP_RET_KILL_THREAD;
    case SeccompAction::kKillProcess:
      return SECCOMP_RET_KILL_PROCESS;
    case SeccompAction::kTrap:
      return SECCOMP_RET_TRAP;
    case SeccompAction::kErrno:
      return SECCOMP_RET_ERRNO | data;
    case SeccompAction::kTrace:
      return SECCOMP_RET_TRACE | data;
    case SeccompAction::kAllow:
      return SECCOMP_RET_ALLOW;
    case SeccompAction::kLog:
      return SECCOMP_RET_LOG;
    case SeccompAction::kNotify:
      return SECCOMP_RET_USER_NOTIF;
  }
  return SECCOMP_RET_KILL_PROCESS;
}

// Everything one call may answer: unconditional, or rules tried in order.
struct Verdict {
  std::optional<std::uint32_t> always;
  struct Conditional {
    std::uint32_t value;
    std::span<const SeccompArg> args;
  };
  std::vector<Conditional> conditional;
};

// A range of call numbers, up to the next range's start, with one answer.
struct Range {
  std::uint32_t start;
  Filter leaf;
};

// Low and high half of argument `index`; x86 is little-endian.
std::size_t low_half(std::uint32_t index) {
  return offsetof(seccomp_data, args) + 8 * index;
}
std::size_t high_half(std::uint32_t index) {
  return low_half(index) + 4;
}

// Code that falls through if the comparison holds, and else jumps to its own end plus `to_next`.
// 64-bit values are compared by halves; calls of 32-bit ABIs have only the lower one. `to_next` is
// patched by the caller: 0xFF marks it.
constexpr std::uint8_t kToNext = 0xFF;

Filter compare(const SeccompArg& arg, bool wide) {
  const auto low = static_cast<std::uint32_t>(arg.value);
  const auto high = static_cast<std::uint32_t>(arg.value >> 32);
  constexpr unsigned kEqual = BPF_JMP | BPF_JEQ | BPF_K;
  constexpr unsigned kGreater = BPF_JMP | BPF_JGT | BPF_K;
  constexpr unsigned kAtLeast = BPF_JMP | BPF_JGE | BPF_K;
  Filter code;
  switch (arg.op) {
    case SeccompOperator::kEq:
      if (wide) code = {load(high_half(arg.index)), jump(kEqual, high, 0, kToNext)};
      append(code, {load(low_half(arg.index)), jump(kEqual, low, 0, kToNext)});
      break;
    case SeccompOperator::kNe:
      if (wide) code = {load(high_half(arg.index)), jump(kEqual, high, 0, 2)};
      append(code, {load(low_half(arg.index)), jump(kEqual, low, kToNext, 0)});
      break;
    case SeccompOperator::kMaskedEq: {
      const auto wanted_low = static_cast<std::uint32_t>(arg.value_two);
      const auto wanted_high = static_cast<std::uint32_t>(arg.value_two >> 32);
      if (wide)
        code = {load(high_half(arg.index)), statement(BPF_ALU | BPF_AND | BPF_K, high),
                jump(kEqual, wanted_high, 0, kToNext)};
      append(code, {load(low_half(arg.index)), statement(BPF_ALU | BPF_AND | BPF_K, low),
                    jump(kEqual, wanted_low, 0, kToNext)});
      break;
    }
    case SeccompOperator::kGt:
    case SeccompOperator::kGe:
      // Decided by the high half unless that is equal.
      if (wide)
        code = {load(high_half(arg.index)), jump(kGreater, high, 3, 0),
                jump(kEqual, high, 0, kToNext)};
      append(code, {load(low_half(arg.index)),
                    jump(arg.op == SeccompOperator::kGt ? kGreater : kAtLeast, low, 0, kToNext)});
      break;
    case SeccompOperator::kLt:
    case SeccompOperator::kLe:
      if (wide)
        code = {load(high_half(arg.index)), jump(kGreater, high, kToNext, 0),
                jump(kEqual, high, 0, 2)};
      append(code, {load(low_half(arg.index)),
                    jump(arg.op == SeccompOperator::kLt ? kAtLeast : kGreater, low, kToNext, 0)});
      break;
  }
  return code;
}

// One rule: its comparisons, then its answer. Jumps marked kToNext go past it.
Filter compile_rule(const Verdict::Conditional& rule, bool wide) {
  Filter code;
  for (const SeccompArg& arg : rule.args) append(code, compare(arg, wide));
  code.push_back(answer(rule.value));
  for (std::size_t i = 0; i < code.size(); ++i) {
    const auto distance = static_cast<std::uint8_t>(code.size() - i - 1);
    if (BPF_CLASS(code[i].code) != BPF_JMP) continue;
    if (code[i].jt == kToNext) code[i].jt = distance;
    if (code[i].jf == kToNext) code[i].jf = distance;
  }
  return code;
}

Filter compile_verdict(const Verdict& verdict, std::uint32_t fallback, bool wide) {
  if (verdict.always) return {answer(*verdict.always)};
  Filter code;
  for (const auto& rule : verdict.conditional) append(code, compile_rule(rule, wide));
  code.push_back(answer(fallback));
  return code;
}

bool same(const Filter& a, const Filter& b) {
  return a.size() == 1 && b.size() == 1 &&
         a[0].k == b[0].k;  // answers only; comparisons are never merged
}

// Binary search: the accumulator holds the call's number.
Filter compile_search(std::span<const Range> ranges) {
  if (ranges.size() == 1) return ranges.front().leaf;
  const std::size_t middle = ranges.size() / 2;
  const Filter below = compile_search(ranges.first(middle));
  const Filter above = compile_search(ranges.subspan(middle));
  Filter code;
  if (below.size() <= 0xFF) {
    code.push_back(jump(BPF_JMP | BPF_JGE | BPF_K, ranges[middle].start, below.size(), 0));
  } else {
    code.push_back(jump(BPF_JMP | BPF_JGE | BPF_K, ranges[middle].start, 0, 1));
    code.push_back(statement(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(below.size())));
  }
  append(code, below);
  append(code, above);
  return code;
}

bool has_index_twice(std::span<const SeccompArg> args) {
  unsigned seen = 0;
  for (const SeccompArg& arg : args) {
    if (seen >> arg.index & 1) return true;
    seen |= 1U << arg.index;
  }
  return false;
}

class AbiCompiler {
 public:
  AbiCompiler(const SeccompProfile& profile, SyscallAbi abi)
      : profile_(profile),
        abi_(abi),
        fallback_(action_value(profile.default_action, profile.default_errno_ret)) {}

  Result<Filter> compile() {
    for (const SeccompRule& rule : profile_.syscalls)
      for (const std::string& name : rule.names) TRY(add(rule, name));
    return compile_search(ranges());
  }

 private:
  Result<void> add(const SeccompRule& rule, const std::string& name) {
    const SyscallRow* row = find_syscall(name);
    const int number = row ? row->number(abi_) : -1;
    if (number < 0) return {};
    Verdict& verdict = verdicts_[static_cast<std::uint32_t>(number)];
    const std::uint32_t value = action_value(rule.action, rule.errno_ret);
    if (rule.args.size() > kMaxArgs)
      return fail(ErrorKind::kInvalid,
                  "linux.seccomp: a rule for {} compares more than {} arguments", name, kMaxArgs);
    // As runc: what is the default anyway says nothing, and contradicts nothing.
    if (value == fallback_) return {};
    if (has_index_twice(rule.args)) {
      // As runc, and before it libseccomp: then each of the conditions is a rule of its own.
      for (const SeccompArg& arg : rule.args) verdict.conditional.push_back({value, {&arg, 1}});
    } else if (!rule.args.empty()) {
      verdict.conditional.push_back({value, rule.args});
    } else if (verdict.always && *verdict.always != value) {
      return fail(ErrorKind::kInvalid, "linux.seccomp gives {} two different actions", name);
    } else {
      // A rule without conditions makes those with some moot.
      verdict.always = value;
    }
    return {};
  }

  std::vector<Range> ranges() const {
    const bool wide = abi_ == SyscallAbi::kX86_64;
    const std::uint32_t bit = abi_ == SyscallAbi::kX32 ? kX32Bit : 0;
    std::vector<Range> ranges;
    const auto put = [&](std::uint32_t start, Filter leaf) {
      if (ranges.empty() || !same(ranges.back().leaf, leaf))
        ranges.push_back({start, std::move(leaf)});
    };
    std::uint32_t next = 0;
    for (const auto& [number, verdict] : verdicts_) {
      if (number > next) put(next | bit, {answer(fallback_)});
      put(number | bit, compile_verdict(verdict, fallback_, wide));
      next = number + 1;
    }
    const bool newer_unknown =
        profile_.default_action == SeccompAction::kErrno && !verdicts_.empty();
    put(next | bit, {answer(newer_unknown ? SECCOMP_RET_ERRNO | ENOSYS : fallback_)});
    return ranges;
  }

  const SeccompProfile& profile_;
  SyscallAbi abi_;
  std::uint32_t fallback_;
  std::map<std::uint32_t, Verdict> verdicts_;
};

bool lists(const SeccompProfile& profile, std::string_view architecture) {
  return std::ranges::find(profile.architectures, architecture) != profile.architectures.end();
}

Result<std::uint32_t> filter_flags(const SeccompProfile& profile) {
  std::uint32_t flags = 0;
  for (const std::string& name : profile.flags) {
    const auto* row = std::ranges::find(kSeccompFlags, name, &SeccompFlagRow::name);
    if (row == kSeccompFlags.end())
      return fail(ErrorKind::kUnsupported, "linux.seccomp.flags: '{}' is not supported", name);
    flags |= row->flag;
  }
  return flags;
}

}  // namespace

Result<SeccompProgram> compile_seccomp(const SeccompProfile& profile) {
  SeccompProgram program;
  program.flags = TRY(filter_flags(profile));
  const Filter native = TRY(AbiCompiler(profile, SyscallAbi::kX86_64).compile());
  Filter x32 = {answer(SECCOMP_RET_KILL_PROCESS)};
  if (lists(profile, kArchX32)) x32 = TRY(AbiCompiler(profile, SyscallAbi::kX32).compile());
  Filter x86 = {answer(SECCOMP_RET_KILL_PROCESS)};
  if (lists(profile, kArchX86)) {
    x86 = {load(offsetof(seccomp_data, nr))};
    append(x86, TRY(AbiCompiler(profile, SyscallAbi::kX86).compile()));
  }

  Filter& code = program.filter;
  Filter main = {load(offsetof(seccomp_data, nr)), jump(BPF_JMP | BPF_JGE | BPF_K, kX32Bit, 0, 1),
                 statement(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(native.size()))};
  append(main, native);
  append(main, x32);
  code = {load(offsetof(seccomp_data, arch)),
          jump(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 1),
          statement(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(x86.size() + 2)),
          jump(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_I386, 1, 0), answer(SECCOMP_RET_KILL_PROCESS)};
  append(code, x86);
  append(code, main);
  if (code.size() > BPF_MAXINSNS)
    return fail(ErrorKind::kExhausted,
                "linux.seccomp compiles to {} instructions, and the kernel takes {}", code.size(),
                BPF_MAXINSNS);
  return program;
}

std::uint32_t run_filter(const Filter& filter, std::uint32_t arch, std::uint32_t number,
                         const std::uint64_t (&args)[6]) {
  seccomp_data data = {};
  data.nr = static_cast<int>(number);
  data.arch = arch;
  std::ranges::copy(args, data.args);
  const auto* words = reinterpret_cast<const std::uint32_t*>(&data);
  std::uint32_t value = 0;
  for (std::size_t at = 0; at < filter.size(); ++at) {
    const sock_filter& step = filter[at];
    switch (step.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        value = words[step.k / 4];
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        value &= step.k;
        break;
      case BPF_JMP | BPF_JA:
        at += step.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        at += value == step.k ? step.jt : step.jf;
        break;
      case BPF_JMP | BPF_JGT | BPF_K:
        at += value > step.k ? step.jt : step.jf;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        at += value >= step.k ? step.jt : step.jf;
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
        at += (value & step.k) != 0 ? step.jt : step.jf;
        break;
      case BPF_RET | BPF_K:
        return step.k;
      default:
        return SECCOMP_RET_KILL_PROCESS;
    }
  }
  return SECCOMP_RET_KILL_PROCESS;
}

}  // namespace berth::container
