// The ports of a workload as ps shows them: "0.0.0.0:8080->80/tcp, 443/tcp", runs of ports as
// ranges.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace berth::cli {

struct PortSummary {
  std::string ip;  // empty: exposed, not published
  std::int64_t private_port = 0;
  std::int64_t public_port = 0;
  std::string protocol;
};

std::string summarize_ports(std::vector<PortSummary> ports);

}  // namespace berth::cli
