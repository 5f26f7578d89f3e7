// What this client calls itself. BERTH_VERSION is the project's, given by the build.
#pragma once

#include <string_view>

namespace berth::cli {

inline constexpr std::string_view kClientVersion = BERTH_VERSION;
/// The version of Docker's API that the requests are written in; engines since 20.10 speak it.
inline constexpr std::string_view kApiVersion = "1.41";

}  // namespace berth::cli
