#include "container/seccomp/syscall_table.h"

#include <gtest/gtest.h>
#include <seccomp.h>

#include <cstdlib>
#include <string>

namespace berth::container {
namespace {

// libseccomp has negative numbers for calls that an architecture lacks or spells otherwise, and
// marks those of x32.
int number_of(std::uint32_t arch, const SyscallRow& row) {
  const int number = ::seccomp_syscall_resolve_name_arch(arch, std::string(row.name).c_str());
  if (number < 0) return -1;
  return arch == SCMP_ARCH_X32 ? number & ~static_cast<int>(kX32Bit) : number;
}

TEST(SyscallTable, HasTheNumbersOfLibseccomp) {
  struct Abi {
    std::uint32_t arch;
    SyscallAbi abi;
  };
  std::size_t compared = 0;
  for (const SyscallRow& row : syscall_table()) {
    for (const Abi& abi :
         {Abi{SCMP_ARCH_X86_64, SyscallAbi::kX86_64}, Abi{SCMP_ARCH_X86, SyscallAbi::kX86},
          Abi{SCMP_ARCH_X32, SyscallAbi::kX32}}) {
      const int theirs = number_of(abi.arch, row);
      // Calls newer than the library that is installed.
      if (theirs < 0) continue;
      EXPECT_EQ(row.number(abi.abi), theirs) << row.name << " of " << static_cast<int>(abi.abi);
      ++compared;
    }
  }
  EXPECT_GT(compared, 1000U);
}

TEST(SyscallTable, KnowsEveryCallThatLibseccompHasForThisArchitecture) {
  for (int number = 0; number < 450; ++number) {
    char* const name = ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, number);
    if (name == nullptr) continue;
    const SyscallRow* row = find_syscall(name);
    EXPECT_EQ(row ? row->number(SyscallAbi::kX86_64) : -1, number) << name;
    ::free(name);
  }
}

TEST(SyscallTable, FindsEachOfItsRowsAndNothingElse) {
  for (const SyscallRow& row : syscall_table()) EXPECT_EQ(find_syscall(row.name), &row);
  for (const char* name : {"", "rea", "readd", "READ", "zzz", "~"})
    EXPECT_EQ(find_syscall(name), nullptr) << name;
}

}  // namespace
}  // namespace berth::container
