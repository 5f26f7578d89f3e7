// Quantities: sizes and times as runc's command line takes them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace berth::runtime {

/// "512", "64m", "1.5 GiB", in powers of 1024; "-1": no limit. nullopt: none of these.
std::optional<std::int64_t> parse_size(std::string_view text);

/// "5s", "1m30s", "0.5h", "250ms": parts with units from ns to h. nullopt: none of these.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

}  // namespace berth::runtime
