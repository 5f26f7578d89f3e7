// Endpoint: where the engine listens, as -H, BERTH_HOST and DOCKER_HOST spell it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace berth::cli {

inline constexpr std::string_view kDefaultHost = "unix:///run/berth/berth.sock";

struct Endpoint {
  enum class Kind : std::uint8_t { kUnix, kTcp };
  Kind kind = Kind::kUnix;
  std::string path;  // kUnix
  std::string host;  // kTcp: an address without brackets, or "localhost"
  std::uint16_t port = 0;
  std::string spelled;  // as errors name it: "unix:///run/berth/berth.sock"
};

/// "unix:///path", "tcp://host:port", "host:port", or an absolute path. kUnsupported for a
/// transport this client has not (ssh, https), kInvalid for what is none at all.
Result<Endpoint> parse_endpoint(std::string_view text);

/// The first that is not empty of the flag, $BERTH_HOST, $DOCKER_HOST, and kDefaultHost.
Result<Endpoint> choose_endpoint(std::string_view flag);

/// A connected stream socket. The error is the whole sentence for the user: that no engine runs
/// there, or that the socket may not be opened and who may.
Result<UniqueFd> connect_to(const Endpoint& endpoint);

}  // namespace berth::cli
