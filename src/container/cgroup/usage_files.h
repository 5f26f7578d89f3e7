// The kinds of text that cgroup files are made of, read into numbers. A file that is not there, and
// a line that is of another form, give nothing: which of them exist depends on the kernel.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "container/cgroup/tree.h"
#include "container/cgroup/usage.h"

namespace berth::container {

/// What "max" stands for.
inline constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

/// nullopt: the text is not all number. "max" is kNoLimit.
std::optional<std::uint64_t> parse_number(std::string_view text);
std::vector<std::string_view> split_words(std::string_view text);

/// Calls `visit` with the words of each line of the file.
void for_each_line(const CgroupDirectory& directory, const std::string& file,
                   const std::function<void(std::span<const std::string_view>)>& visit);
/// "key 12" lines.
void for_each_pair(const CgroupDirectory& directory, const std::string& file,
                   const std::function<void(std::string_view, std::uint64_t)>& visit);
/// The whole file is one number; 0 if it is not there.
std::uint64_t number_in(const CgroupDirectory& directory, const std::string& file);
/// "0-2,5"
std::vector<std::uint16_t> list_in(const CgroupDirectory& directory, const std::string& file);
/// nullopt: this kernel has none, or was told to count none.
std::optional<Pressure> pressure_in(const CgroupDirectory& directory, const std::string& file);
/// The page sizes for which the directory has a file "hugetlb.<size><suffix>".
std::vector<std::string> hugepage_sizes(const CgroupDirectory& directory, std::string_view suffix);

Usage read_usage_v1(const CgroupManager& manager);
Usage read_usage_v2(const CgroupDirectory& directory);

}  // namespace berth::container
