// The versions of Docker's Engine API that are spoken here. A client names one in the path
// (/v1.43/...); a path without one gets the newest.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/result.h"

namespace berth::docker {

struct ApiVersion {
  int major = 0;
  int minor = 0;
  friend auto operator<=>(const ApiVersion&, const ApiVersion&) = default;
};

inline constexpr ApiVersion kMinApiVersion{.major = 1, .minor = 24};
inline constexpr ApiVersion kMaxApiVersion{.major = 1, .minor = 47};

std::string to_string(ApiVersion version);
/// "1.43"; kInvalid for anything else.
Result<ApiVersion> parse_api_version(std::string_view text);
/// kInvalid, in Docker's words, for a version outside of what is spoken here: clients look for
/// these words.
Result<void> check_api_version(ApiVersion version);

}  // namespace berth::docker
