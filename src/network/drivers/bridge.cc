#include "network/drivers/bridge.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/log.h"
#include "base/scope_exit.h"
#include "network/conntrack.h"
#include "network/forwarding.h"

namespace berth::network {
namespace {

constexpr std::string_view kInterface = "eth0";

struct Place {
  Cidr gateway;
  BridgeRules rules;
};

Result<Place> place_of(const NetworkInfo& network) {
  const Cidr subnet =
      TRY(parse_cidr(network.subnet).context(fmt::format("network {}", network.name)));
  const Ipv4 gateway =
      TRY(parse_ipv4(network.gateway).context(fmt::format("network {}", network.name)));
  if (const std::string name = bridge_name(network); !is_plain_name(name)) {
    return fail(ErrorKind::kInvalid,
                "network {}: '{}' is no name for a bridge: letters, digits, '_', '-' and '.'",
                network.name, name);
  }
  return Place{
      Cidr{gateway, subnet.prefix_length},
      {.name = bridge_name(network), .subnet = subnet.subnet(), .internal = network.internal}};
}

std::vector<PortBinding> udp_ports(std::span<const PortBinding> ports) {
  std::vector<PortBinding> udp;
  std::ranges::copy_if(ports, std::back_inserter(udp),
                       [](const PortBinding& p) { return p.protocol == Protocol::kUdp; });
  return udp;
}

void log_if_failed(const Result<void>& result) {
  if (!result.ok()) log::warning("{}", result.error().message());
}

/// UDP flows that reached the host itself before the port was published would go on missing the
/// container.
void forget_flows_to_host(std::span<const PortBinding> udp) {
  if (udp.empty()) return;
  std::vector<Ipv4> addresses;
  if (Result<sys::RouteSocket> host = sys::RouteSocket::open(); host.ok()) {
    if (const auto all = host->addresses(); all.ok()) {
      for (const auto& entry : *all) addresses.push_back(Ipv4::from_network_order(entry.address));
    }
  }
  for (const PortBinding& port : udp) {
    for (const Ipv4 address : addresses) log_if_failed(forget_udp_to(address, port.host_port));
  }
}

}  // namespace

std::string bridge_name(const NetworkInfo& network) {
  const auto named = network.options.find(kBridgeNameOption);
  return named != network.options.end() ? named->second : fmt::format("br-{}", network.id.brief());
}

sys::MacAddress mac_of(Ipv4 address) {
  const auto byte = [&](int shift) { return static_cast<std::uint8_t>(address.value >> shift); };
  return {0x02, 0x42, byte(24), byte(16), byte(8), byte(0)};
}

Result<void> BridgeDriver::create_network(const NetworkInfo& network) {
  const Place place = TRY(place_of(network));
  TRY(services_.ipam.add_pool(network.id, place.rules.subnet, place.gateway.address));
  TRY(services_.firewall.add_bridge(place.rules));
  if (!network.internal) TRY(ensure_forwarding(services_.firewall, services_.links));
  TRY(services_.links.ensure_bridge(place.rules.name, place.gateway,
                                    mac_of(place.gateway.address)));
  return {};
}

Result<void> BridgeDriver::delete_network(const NetworkInfo& network) {
  const Place place = TRY(place_of(network));
  TRY(services_.links.discard_unclaimed(place.rules.name, {}));
  TRY(services_.links.remove_bridge(place.rules.name));
  TRY(services_.firewall.remove_bridge(place.rules));
  services_.ipam.remove_pool(network.id);
  return {};
}

Result<void> BridgeDriver::create_endpoint(const NetworkInfo& network,
                                           const EndpointOptions& options, Endpoint& endpoint) {
  if (!options.mac.empty()) TRY(sys::parse_mac(options.mac));
  const Place place = TRY(place_of(network));
  const Ipv4 address = TRY(services_.ipam.allocate(network.id, options.address)
                               .context(fmt::format("network {}", network.name)));
  endpoint.interface = kInterface;
  endpoint.address = to_string(address);
  endpoint.prefix_length = place.gateway.prefix_length;
  endpoint.gateway = network.internal ? "" : network.gateway;
  endpoint.mac = options.mac.empty() ? sys::format_mac(mac_of(address)) : options.mac;
  endpoint.ports = options.ports;
  return {};
}

Result<void> BridgeDriver::delete_endpoint(const NetworkInfo& network, const Endpoint& endpoint) {
  services_.ipam.release(network.id, TRY(parse_ipv4(endpoint.address)));
  return {};
}

Result<void> BridgeDriver::prepare(const NetworkInfo& network, Sandbox& sandbox) {
  sys::RouteSocket host = TRY(sys::RouteSocket::open());
  const sys::Link bridge =
      TRY(host.link(bridge_name(network)).context(fmt::format("network {}", network.name)));
  Leg leg = TRY(services_.links.add_leg(bridge, kInterface, sandbox)
                    .context(fmt::format("network {}", network.name)));
  leg.network = network.id;
  sandbox.leg = std::move(leg);
  return {};
}

Result<void> BridgeDriver::join(const NetworkInfo& network, Endpoint& endpoint, Sandbox& sandbox) {
  if (!sandbox.leg) TRY(prepare(network, sandbox));
  endpoint.host_link = sandbox.leg->host_link;
  sys::InterfacePlan plan;
  plan.mac = TRY(sys::parse_mac(endpoint.mac));
  plan.address = TRY(parse_ipv4(endpoint.address)).network_order();
  plan.prefix_length = endpoint.prefix_length;
  if (!endpoint.gateway.empty()) plan.gateway = TRY(parse_ipv4(endpoint.gateway)).network_order();
  return sandbox.route()
      .assign(sandbox.leg->inside, plan)
      .context(fmt::format("network {}", network.name));
}

Result<void> BridgeDriver::leave(const NetworkInfo&, const Endpoint& endpoint) {
  return endpoint.host_link.empty() ? Result<void>() : services_.links.discard(endpoint.host_link);
}

Result<void> BridgeDriver::program_external(const NetworkInfo&, Endpoint& endpoint) {
  if (endpoint.ports.empty()) return {};
  const Ipv4 container = TRY(parse_ipv4(endpoint.address));
  TRY(services_.ports.reserve(endpoint.ports));
  ScopeExit undo([&] { services_.ports.release(endpoint.ports); });
  TRY(services_.firewall.publish(endpoint.ports, container));
  undo.cancel();
  forget_flows_to_host(udp_ports(endpoint.ports));
  return {};
}

Result<void> BridgeDriver::revoke_external(const NetworkInfo&, const Endpoint& endpoint) {
  if (endpoint.ports.empty()) return {};
  const Ipv4 container = TRY(parse_ipv4(endpoint.address));
  // The rules first: once the reservation is gone the port may be somebody else's.
  const Result<void> revoked = services_.firewall.revoke(endpoint.ports, container);
  services_.ports.release(endpoint.ports);
  for (const PortBinding& port : udp_ports(endpoint.ports)) {
    log_if_failed(forget_udp_answered_by(container, port.container_port));
  }
  return revoked;
}

Result<void> BridgeDriver::adopt(const NetworkInfo& network, const Endpoint& endpoint) {
  // An address out of the pool, or a port that somebody took meanwhile, still works: the link and
  // the rules are in place.
  const Result<Ipv4> reserved = services_.ipam.allocate(network.id, endpoint.address);
  if (!reserved.ok())
    log::warning("endpoint {}: {}", endpoint.id.brief(), reserved.error().message());
  for (PortBinding port : endpoint.ports) {
    log_if_failed(services_.ports.reserve(std::span(&port, 1))
                      .context(fmt::format("endpoint {}", endpoint.id.brief())));
  }
  return services_.firewall.publish(endpoint.ports, TRY(parse_ipv4(endpoint.address)));
}

Result<void> BridgeDriver::remove_unclaimed(const NetworkInfo& network,
                                            std::span<const Endpoint> claimed) {
  std::set<std::string> links;
  for (const Endpoint& endpoint : claimed) links.insert(endpoint.host_link);
  return services_.links.discard_unclaimed(bridge_name(network), links);
}

void BridgeDriver::run_deferred() {
  log_if_failed(services_.links.remove_discarded());
}

}  // namespace berth::network
