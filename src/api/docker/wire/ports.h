// Ports in Docker's forms: "80/tcp" keys, the PortBindings map, and the lists of ps and inspect.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "engine/workload.h"
#include "network/cnm.h"

namespace berth::docker {

struct ContainerPort {
  std::uint16_t port = 0;
  network::Protocol protocol = network::Protocol::kTcp;
};

/// "80/tcp", "53/udp", "80" (tcp).
Result<ContainerPort> parse_container_port(std::string_view text);
std::string_view to_string(network::Protocol protocol);

/// HostConfig.PortBindings: {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}. An empty HostPort
/// lets the engine choose.
Result<std::vector<network::PortBinding>> parse_port_bindings(const Json& bindings);

/// The same map again, as it was asked for.
OrderedJson port_bindings_json(const std::vector<network::PortBinding>& ports);
/// NetworkSettings.Ports: what is open now, and null for exposed ports that are not published.
OrderedJson open_ports_json(const engine::WorkloadView& view);
/// The Ports list of a summary.
OrderedJson port_list_json(const engine::WorkloadView& view);

}  // namespace berth::docker
