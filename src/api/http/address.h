// Where a server listens: unix:///run/berth/berth.sock or tcp://127.0.0.1:2375.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace berth::http {

struct Address {
  enum class Kind { kUnix, kTcp };
  Kind kind = Kind::kUnix;
  std::string path;        // unix: absolute, below the length that sockaddr_un holds
  std::string host;        // tcp: a numeric loopback address or "localhost"
  std::uint16_t port = 0;  // tcp: 0 lets the kernel choose

  /// The form that parse_address() takes.
  std::string text() const;
};

/// kInvalid says what is wrong with it. A tcp address that others than this host could reach is
/// kPermission: whoever reaches the API is root here, and there is no TLS yet to tell who it is.
Result<Address> parse_address(std::string_view text);

}  // namespace berth::http
