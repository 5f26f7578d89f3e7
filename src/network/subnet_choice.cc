#include "network/subnet_choice.h"

#include <algorithm>

namespace berth::network {

std::vector<Subnet> default_pools() {
  std::vector<Subnet> pools;
  for (std::uint32_t second = 17; second <= 31; ++second)
    pools.push_back({Ipv4{172U << 24 | second << 16}, 16});
  for (std::uint32_t third = 0; third < 256; third += 16)
    pools.push_back({Ipv4{192U << 24 | 168U << 16 | third << 8}, 20});
  return pools;
}

Result<std::vector<Subnet>> subnets_in_use(sys::RouteSocket& host, int except) {
  std::vector<Subnet> taken;
  for (const sys::InterfaceAddress& address : TRY(host.addresses())) {
    if (except != 0 && address.index == except) continue;
    taken.push_back(subnet_of(Ipv4::from_network_order(address.address), address.prefix_length));
  }
  for (const sys::Route& route : TRY(host.routes())) {
    if (route.via_gateway || route.prefix_length == 0 || (except != 0 && route.index == except))
      continue;
    taken.push_back(subnet_of(Ipv4::from_network_order(route.destination), route.prefix_length));
  }
  return taken;
}

Result<Subnet> choose_subnet(std::span<const Subnet> taken) {
  for (const Subnet& pool : default_pools()) {
    if (std::ranges::none_of(taken, [&](const Subnet& used) { return used.overlaps(pool); }))
      return pool;
  }
  return fail(ErrorKind::kExhausted,
              "every default address pool (172.17.0.0/16 to 172.31.0.0/16, 192.168.0.0/16) "
              "overlaps an address or a route "
              "of this host: name a free subnet for the bridge, such as 10.88.0.1/24");
}

}  // namespace berth::network
