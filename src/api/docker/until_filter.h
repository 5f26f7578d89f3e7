// The `until` filter of prune calls.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace berth::docker {

/// A moment, or a duration like "10m" or "1h30m" before `at`. kInvalid: it is neither.
Result<WallTime> parse_until(const std::string& text, WallTime at);

}  // namespace berth::docker
