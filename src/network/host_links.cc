#include "network/host_links.h"

#include <algorithm>

#include "base/scope_exit.h"

namespace berth::network {
namespace {

constexpr std::uint32_t kDefaultMtu = 1500;

/// FNV-1a, spread over numbers that nobody picks by hand and that print as positive.
std::uint32_t group_of(std::string_view engine) {
  std::uint32_t hash = 2166136261U;
  for (const char c : engine) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return (hash & 0x3ffffffeU) | 0x40000000U;
}

/// The MTU of the link that the default route leaves by: what is larger would be fragmented or lost
/// on a VPN or tunnel.
Result<std::uint32_t> egress_mtu(sys::RouteSocket& host) {
  const auto routes = TRY(host.routes());
  const auto egress = std::ranges::find_if(
      routes, [](const sys::Route& r) { return r.prefix_length == 0 && r.index != 0; });
  if (egress == routes.end()) return kDefaultMtu;
  const auto links = TRY(host.links());
  const auto link = std::ranges::find(links, egress->index, &sys::Link::index);
  return link == links.end() ? kDefaultMtu : std::min(link->mtu, kDefaultMtu);
}

bool is_missing(const Error& error) {
  return error.os_errno() == ENODEV;
}

}  // namespace

HostLinks::HostLinks(std::string_view engine) : group_(group_of(engine)) {}

Result<sys::Link> HostLinks::ensure_bridge(std::string_view name, const Cidr& gateway,
                                           const sys::MacAddress& mac) {
  sys::RouteSocket host = TRY(sys::RouteSocket::open());
  Result<sys::Link> found = host.link(name);
  if (!found.ok()) {
    if (!is_missing(found.error())) return std::move(found).error();
    TRY(host.add_bridge(
        {.name = std::string(name), .group = group_, .mtu = TRY(egress_mtu(host))}));
    found = host.link(name);
  }
  const sys::Link bridge = TRY(std::move(found));
  if (bridge.kind != "bridge" || !ours(bridge)) {
    return fail(ErrorKind::kConflict,
                "link {} exists and does not belong to this engine: name another bridge, or remove "
                "it with 'ip link delete "
                "{}' if nothing needs it",
                name, name);
  }
  for (const sys::InterfaceAddress& address : TRY(host.addresses())) {
    const Ipv4 present = Ipv4::from_network_order(address.address);
    if (address.index != bridge.index) continue;
    if (present == gateway.address && address.prefix_length == gateway.prefix_length) continue;
    TRY(host.remove_address(bridge, address.address, address.prefix_length));
  }
  TRY(host.add_address(bridge, gateway.address.network_order(), gateway.prefix_length));
  TRY(host.set_mac(bridge, mac));
  TRY(host.allow_loopback_addresses(bridge));
  TRY(host.set_up(bridge));
  return bridge;
}

Result<void> HostLinks::remove_bridge(std::string_view name) {
  sys::RouteSocket host = TRY(sys::RouteSocket::open());
  const Result<sys::Link> bridge = host.link(name);
  if (!bridge.ok() && is_missing(bridge.error())) return {};
  if (!bridge.ok()) return bridge.error();
  if (!ours(*bridge))
    return fail(ErrorKind::kConflict, "link {} does not belong to this engine: it stays", name);
  return host.remove_link(*bridge);
}

Result<Leg> HostLinks::add_leg(const sys::Link& bridge, std::string_view interface,
                               Sandbox& sandbox) {
  sys::RouteSocket host = TRY(sys::RouteSocket::open());
  Leg leg;
  leg.host_link = "veth" + random_hex(8);
  TRY(host.add_veth({.name = leg.host_link,
                     .group = group_,
                     .mtu = bridge.mtu,
                     .master = bridge.index,
                     .peer_name = std::string(interface),
                     .peer_netns = sandbox.fd()}));
  ScopeExit undo([&] { (void)discard(leg.host_link); });
  const sys::Link port = TRY(host.link(leg.host_link));
  TRY(host.disable_ipv6_autoconfiguration(port));
  // A container that talks to its own published port gets its own frames back.
  TRY(host.set_hairpin(port));
  TRY(host.set_up(port));
  leg.inside = TRY(sandbox.route().link(interface));
  TRY(sandbox.route().disable_ipv6_autoconfiguration(leg.inside));
  TRY(sandbox.route().set_up(leg.inside));
  // The first port gives the bridge its carrier, too.
  TRY(host.wait_until_running(leg.host_link));
  TRY(host.wait_until_running(bridge.name));
  undo.cancel();
  return leg;
}

Result<void> HostLinks::discard(std::string_view host_link) {
  sys::RouteSocket host = TRY(sys::RouteSocket::open());
  const Result<sys::Link> link = host.link(host_link);
  if (!link.ok() && is_missing(link.error())) return {};
  if (!link.ok()) return link.error();
  if (!ours(*link)) return {};
  const Result<void> moved = host.set_group(*link, discarded_group());
  return !moved.ok() && is_missing(moved.error()) ? Result<void>() : moved;
}

Result<void> HostLinks::discard_unclaimed(std::string_view bridge,
                                          const std::set<std::string>& claimed) {
  sys::RouteSocket host = TRY(sys::RouteSocket::open());
  const Result<sys::Link> master = host.link(bridge);
  if (!master.ok() && is_missing(master.error())) return {};
  if (!master.ok()) return master.error();
  for (const sys::Link& link : TRY(host.links())) {
    if (link.kind == "veth" && ours(link) && link.master == master->index &&
        !claimed.contains(link.name)) {
      TRY(discard(link.name));
    }
  }
  return {};
}

Result<void> HostLinks::remove_discarded() {
  return TRY(sys::RouteSocket::open()).remove_group(discarded_group());
}

Result<void> HostLinks::remove_all() {
  sys::RouteSocket host = TRY(sys::RouteSocket::open());
  TRY(host.remove_group(discarded_group()));
  return host.remove_group(group_);
}

}  // namespace berth::network
