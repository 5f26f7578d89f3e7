// Which subnet a new bridge gets: the first of the default pools that clashes with nothing the host
// uses now. Asked live, because VPNs come and go. Docker's pools, in Docker's order, so that
// firewalls and habits that know them still fit.
#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "network/ipv4.h"
#include "sys/netlink_route.h"

namespace berth::network {

/// The default pools: 172.17.0.0/16 to 172.31.0.0/16, then 192.168.0.0/16 in sixteenths.
std::vector<Subnet> default_pools();

/// What the host uses: its addresses and its on-link routes. Routes through a gateway do not count:
/// a VPN that takes over all traffic (0.0.0.0/1 and 128.0.0.0/1) would leave nothing. `except` is
/// the index of a link that does not count, 0: none.
Result<std::vector<Subnet>> subnets_in_use(sys::RouteSocket& host, int except);

/// The first default pool that overlaps none of `taken`. kExhausted says how to name one.
Result<Subnet> choose_subnet(std::span<const Subnet> taken);

}  // namespace berth::network
