#include "berth/format/port_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace berth::cli {
namespace {

// A run of ports that follow each other, each published under its own number or none at all.
struct Run {
  std::string ip;
  std::string protocol;
  std::int64_t first = 0;
  std::int64_t last = 0;
};

std::string with_address(const std::string& ip, const std::string& port) {
  return ip.find(':') == std::string::npos ? fmt::format("{}:{}", ip, port)
                                           : fmt::format("[{}]:{}", ip, port);
}

std::string text_of(const Run& run) {
  const std::string ports = run.first == run.last ? fmt::format("{}", run.first)
                                                  : fmt::format("{}-{}", run.first, run.last);
  const std::string outside = run.ip.empty() ? "" : with_address(run.ip, ports) + "->";
  return fmt::format("{}{}/{}", outside, ports, run.protocol);
}

}  // namespace

std::string summarize_ports(std::vector<PortSummary> ports) {
  std::ranges::sort(ports, [](const PortSummary& a, const PortSummary& b) {
    return std::tie(a.private_port, a.ip, a.public_port, a.protocol) <
           std::tie(b.private_port, b.ip, b.public_port, b.protocol);
  });
  std::vector<std::string> out;
  std::vector<std::string> mapped;
  std::vector<Run> runs;  // one open run for each address and protocol
  for (const PortSummary& port : ports) {
    if (!port.ip.empty() && port.public_port != port.private_port) {
      mapped.push_back(fmt::format("{}->{}/{}",
                                   with_address(port.ip, fmt::format("{}", port.public_port)),
                                   port.private_port, port.protocol));
      continue;
    }
    const auto run = std::ranges::find_if(runs, [&](const Run& open) {
      return open.ip == port.ip && open.protocol == port.protocol;
    });
    if (run == runs.end()) {
      runs.push_back({port.ip, port.protocol, port.private_port, port.private_port});
    } else if (port.private_port == run->last + 1) {
      run->last = port.private_port;
    } else {
      out.push_back(text_of(*run));
      run->first = run->last = port.private_port;
    }
  }
  for (const Run& run : runs) out.push_back(text_of(run));
  out.insert(out.end(), mapped.begin(), mapped.end());
  return fmt::format("{}", fmt::join(out, ", "));
}

}  // namespace berth::cli
