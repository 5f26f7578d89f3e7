#include "network/default_networks.h"

#include <algorithm>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "network/drivers/bridge.h"
#include "network/subnet_choice.h"

namespace berth::network {
namespace {

NetworkInfo& find_or_add(std::vector<NetworkInfo>& networks, std::string_view name,
                         std::string_view driver) {
  const auto found = std::ranges::find(networks, name, &NetworkInfo::name);
  if (found != networks.end()) return *found;
  NetworkInfo network;
  network.id = random_id<NetworkId>();
  network.name = name;
  network.driver = driver;
  network.created = format_rfc3339(now());
  return networks.emplace_back(std::move(network));
}

/// The gateway's address with its prefix.
Result<Cidr> asked_for(const std::string& text) {
  const Cidr cidr = TRY(parse_cidr(text).context("subnet of the default bridge"));
  // As a gateway the network's own address makes no sense: it means the subnet, whose first
  // address is the gateway.
  if (cidr.address == cidr.subnet().base)
    return Cidr{Ipv4{cidr.address.value + 1}, cidr.prefix_length};
  return cidr;
}

Result<Cidr> gateway_for(const NetworkInfo& network, const DefaultBridge& wanted) {
  const Result<Cidr> earlier = parse_cidr(network.subnet);
  const Result<Ipv4> gateway = parse_ipv4(network.gateway);
  const bool had_one = earlier.ok() && gateway.ok();
  if (had_one && wanted.in_use) {
    const Cidr kept{*gateway, earlier->prefix_length};
    if (!wanted.subnet.empty() && TRY(asked_for(wanted.subnet)) != kept)
      log::warning(
          "network {} stays at {} while workloads may be connected to it, and moves to {} "
          "at a start without any",
          network.name, network.subnet, wanted.subnet);
    return kept;
  }
  if (!wanted.subnet.empty()) return asked_for(wanted.subnet);
  sys::RouteSocket host = TRY(sys::RouteSocket::open());
  const Result<sys::Link> link = host.link(wanted.bridge);
  const std::vector<Subnet> taken = TRY(subnets_in_use(host, link.ok() ? link->index : 0));
  if (had_one) {
    const bool clash = std::ranges::any_of(
        taken, [&](const Subnet& used) { return used.overlaps(earlier->subnet()); });
    if (!clash) return Cidr{*gateway, earlier->prefix_length};
    log::warning("subnet {} of network {} is used by the host now: another one is taken",
                 network.subnet, network.name);
  }
  const Subnet chosen = TRY(choose_subnet(taken));
  return Cidr{Ipv4{chosen.base.value + 1}, chosen.prefix_length};
}

}  // namespace

Result<std::vector<NetworkInfo>> with_default_networks(std::vector<NetworkInfo> networks,
                                                       const DefaultBridge& wanted) {
  NetworkInfo& network = find_or_add(networks, "bridge", "bridge");
  const Cidr gateway = TRY(gateway_for(network, wanted));
  network.subnet = to_string(gateway.subnet());
  network.gateway = to_string(gateway.address);
  // As Docker reports its default bridge; all of it holds here too.
  network.options = {{kBridgeNameOption, wanted.bridge},
                     {"com.docker.network.bridge.default_bridge", "true"},
                     {"com.docker.network.bridge.enable_icc", "true"},
                     {"com.docker.network.bridge.enable_ip_masquerade", "true"},
                     {"com.docker.network.bridge.host_binding_ipv4", "0.0.0.0"}};
  find_or_add(networks, "host", "host");
  find_or_add(networks, "none", "null");
  return networks;
}

}  // namespace berth::network
