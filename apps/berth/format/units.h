// Sizes, CPU counts and lengths of time, between numbers and the words that Docker's users write
// and read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace berth::cli {

/// "512", "64k", "1.5g", "64MiB": powers of 1024, case ignored, "b" and "ib" without meaning.
/// kInvalid: "invalid size: 'x'".
Result<std::int64_t> parse_bytes(std::string_view text);

/// "1.5" CPUs as 1500000000. kInvalid if it is no decimal, negative, or finer than a billionth.
Result<std::int64_t> parse_nano_cpus(std::string_view text);

/// Nanoseconds of "1h30m", "1.5s", "300ms", "0": a sequence of decimals with units ns, us, ms, s,
/// m, h.
Result<std::int64_t> parse_duration(std::string_view text);

/// "4.26MB": powers of 1000, `digits` significant ones.
std::string human_size(double bytes, int digits = 3);

/// "15.63GiB": powers of 1024, four significant digits.
std::string human_binary_size(double bytes);

/// "Less than a second", "5 seconds", "About a minute", "3 minutes", "2 weeks": what stands before
/// "ago".
std::string human_duration(std::int64_t seconds);

}  // namespace berth::cli
