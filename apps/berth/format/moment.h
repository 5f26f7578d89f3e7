// Moments as the engine's queries take them and as tables show them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace berth::cli {

/// What --since and --until take, as the "seconds.nanoseconds" of the engine's query: a length of
/// time before `now`
/// ("42m"), RFC 3339 with or without its time, fraction or zone (local time without), or seconds
/// since the epoch.
Result<std::string> query_moment(std::string_view text, WallTime now);

/// "2006-01-02 15:04:05 +0100 CET", local time.
std::string local_moment(std::int64_t unix_seconds);

/// "2006-01-02T15:04:05.000000000+01:00", local time.
std::string local_rfc3339(std::int64_t unix_nanoseconds);

/// "2006-01-02T15:04:05+01:00", local time.
std::string local_rfc3339_seconds(std::int64_t unix_seconds);

}  // namespace berth::cli
