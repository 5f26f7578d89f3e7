// Wall-clock time as the formats of this field write it: RFC 3339 with up to nine digits of a
// second, always UTC.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace berth {

/// Nanoseconds since the epoch, UTC.
using WallTime = std::chrono::sys_time<std::chrono::nanoseconds>;

/// CLOCK_REALTIME now.
WallTime now();

/// "2006-01-02T15:04:05.999999999Z", trailing zeros of the fraction dropped, as Go's RFC3339Nano
/// prints it.
std::string format_rfc3339(WallTime time);

/// "2006-01-02T15:04:05.000000000Z", always nine digits, so that lines sort as text.
std::string format_rfc3339_fixed(WallTime time);

/// Parses both forms, and any numeric offset ("+02:00"). kInvalid names the text.
Result<WallTime> parse_rfc3339(std::string_view text);

/// The time that Docker writes for "never": 0001-01-01T00:00:00Z.
inline constexpr std::string_view kZeroTime = "0001-01-01T00:00:00Z";

}  // namespace berth
