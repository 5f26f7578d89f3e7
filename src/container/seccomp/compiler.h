// A seccomp profile as a BPF program: what seccomp(2) takes. docs/adr/0002 says why this is not
// libseccomp's compiler.
//
// Shape of the program: the architecture, then a binary search over ranges of call numbers that
// have the same answer, then, where arguments matter, their comparisons. About 7 steps for a call
// of Docker's default profile, where a list of comparisons takes up to 350; the kernel's cache of
// calls that are always allowed understands it (Linux 5.11).
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "container/spec/spec.h"

namespace berth::container {

/// A word of a profile's `flags`, and what it is for seccomp(2).
struct SeccompFlagRow {
  std::string_view name;
  std::uint32_t flag;
};
inline constexpr auto kSeccompFlags = std::to_array<SeccompFlagRow>({
    {"SECCOMP_FILTER_FLAG_TSYNC", 0},  // one thread is filtered; there is no other
    {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
    {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
    // The kernel takes it with a listener only: isolate/execute_child.cc.
    {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV},
});

/// Words of a profile's `architectures` that open the gate for calls of that kind. The first is the
/// host's own, which is always open.
inline constexpr std::string_view kArchX86_64 = "SCMP_ARCH_X86_64";
inline constexpr std::string_view kArchX86 = "SCMP_ARCH_X86";
inline constexpr std::string_view kArchX32 = "SCMP_ARCH_X32";
inline constexpr std::array<std::string_view, 3> kSeccompArchitectures = {kArchX86_64, kArchX86,
                                                                          kArchX32};

struct SeccompProgram {
  std::vector<sock_filter> filter;
  std::uint32_t flags = 0;  // SECCOMP_FILTER_FLAG_*
};

/// Names this table does not know are skipped, as other runtimes do: a profile is written for many
/// kernels and architectures. If the default is an errno, calls newer than every one the profile
/// knows get ENOSYS, so that programs fall back instead of failing. Calls of an architecture that
/// the profile does not list kill the process. kInvalid: a rule contradicts another, or is too
/// long; kUnsupported: a flag.
Result<SeccompProgram> compile_seccomp(const SeccompProfile& profile);

/// What the program answers to a call: an interpreter for tests, and for explaining a profile.
/// `args` are the six arguments.
std::uint32_t run_filter(const std::vector<sock_filter>& filter, std::uint32_t arch,
                         std::uint32_t number, const std::uint64_t (&args)[6]);

}  // namespace berth::container
