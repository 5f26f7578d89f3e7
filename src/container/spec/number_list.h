// Lists of CPUs and memory nodes as the kernel writes them: "0-3,7". cpuset(7), "List format".
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace berth::container {

/// One past the highest CPU or node that a list may name: the kernel's NR_CPUS is at most 8192,
/// its MAX_NUMNODES 1024.
inline constexpr unsigned kMaxListed = 8192;

/// The bits of the listed numbers, as sched_setaffinity(2) and set_mempolicy(2) take them. Empty
/// for an empty text; nullopt: no such list, or a number from kMaxListed on.
std::optional<std::vector<unsigned long>> parse_number_list(std::string_view text);

}  // namespace berth::container
