// System call numbers by name, for the architectures an x86-64 kernel runs.
// tools/check_syscalls.py compares the table with the kernel's headers.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace berth::container {

enum class SyscallAbi : std::uint8_t { kX86_64, kX86, kX32 };

/// The kernel marks x32 calls with this bit of the number; the table holds them without it.
inline constexpr std::uint32_t kX32Bit = 0x40000000;

struct SyscallRow {
  std::string_view name;
  std::array<std::int16_t, 3> numbers;  // by SyscallAbi; -1: not there

  constexpr SyscallRow(std::string_view call, int x86_64, int x86, int x32)
      : name(call),
        numbers{static_cast<std::int16_t>(x86_64), static_cast<std::int16_t>(x86),
                static_cast<std::int16_t>(x32)} {}
  int number(SyscallAbi abi) const { return numbers[static_cast<std::size_t>(abi)]; }
};

std::span<const SyscallRow> syscall_table();
/// Null: no such call on any of them.
const SyscallRow* find_syscall(std::string_view name);

}  // namespace berth::container
