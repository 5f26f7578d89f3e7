// The Content-Type of a stream of output: raw from a terminal, in frames otherwise.
#pragma once

#include <string_view>

#include "api/docker/api_version.h"

namespace berth::docker {

/// Clients below 1.42 are told "raw-stream" in either case, and know from inspect whether there are
/// frames.
constexpr std::string_view stream_type(bool tty, ApiVersion version) {
  constexpr ApiVersion kFirstToSay{.major = 1, .minor = 42};
  return tty || version < kFirstToSay ? "application/vnd.docker.raw-stream"
                                      : "application/vnd.docker.multiplexed-stream";
}

}  // namespace berth::docker
