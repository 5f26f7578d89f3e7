// -p and --expose: "[[ip:][host]:]container[/protocol]", where host and container may be ranges.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace berth::cli {

struct PublishedPort {
  std::uint16_t container_port = 0;
  std::string protocol = "tcp";
  std::string host_ip;    // empty: every address
  std::string host_port;  // empty: the engine picks; "8000-8010": it picks from these

  /// "80/tcp": the key of the request's port maps.
  std::string key() const;
};

/// One -p: a port, or as many as its range has. Also takes "target=80,published=8080,protocol=tcp".
/// kInvalid names it.
Result<std::vector<PublishedPort>> parse_publish(std::string_view text);

/// One --expose: "80", "80/udp", "7000-8000/tcp", as keys.
Result<std::vector<std::string>> parse_expose(std::string_view text);

}  // namespace berth::cli
