// Links, addresses and routes: the typed requests of rtnetlink (man 7 rtnetlink) that Berth makes.
// Each call is one trip to the kernel, also where it asks for several things. IPv4 addresses are in
// network byte order (in_addr), as the kernel has them. Errors name the link and what was asked of
// it.
#pragma once

#include <net/if.h>
#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sys/netlink.h"

namespace berth::sys {

using MacAddress = std::array<std::uint8_t, 6>;

/// "02:42:ac:11:00:02" and back. kInvalid names the text.
std::string format_mac(const MacAddress& mac);
Result<MacAddress> parse_mac(std::string_view text);

/// A link as the kernel reports it.
struct Link {
  int index = 0;
  std::string name;
  std::string kind;    // "bridge", "veth"; empty for hardware and lo
  unsigned flags = 0;  // IFF_UP, IFF_LOOPBACK, ...
  std::uint32_t group = 0;
  std::uint32_t mtu = 0;
  int master = 0;  // index of the bridge it is a port of, 0: none
  MacAddress mac{};
};

struct InterfaceAddress {
  int index = 0;
  in_addr address{};
  int prefix_length = 0;
};

/// A unicast route of the main table.
struct Route {
  in_addr destination{};
  int prefix_length = 0;  // 0: the default route
  int index = 0;          // of the outgoing link, 0: several or none
  bool via_gateway = false;
};

struct BridgeSpec {
  std::string name;
  std::uint32_t group = 0;  // IFLA_GROUP: whose link it is
  std::uint32_t mtu = 1500;
};

/// A pair whose peer starts life in another namespace. Both ends are down at first.
struct VethSpec {
  std::string name;
  std::uint32_t group = 0;
  std::uint32_t mtu = 1500;
  int master = 0;  // index of a bridge, 0: none
  std::string peer_name;
  int peer_netns = -1;  // borrowed namespace descriptor; -1: the socket's own
};

/// What an interface gets when its place on a network is known. All in one batch.
struct InterfacePlan {
  std::optional<MacAddress> mac;
  in_addr address{};
  int prefix_length = 0;
  std::optional<in_addr> gateway;  // none: no default route
};

/// Not thread-safe: one conversation at a time.
class RouteSocket {
 public:
  /// Speaks about the namespace that the calling thread is in now.
  static Result<RouteSocket> open();
  /// Speaks about the namespace `netns`. The socket keeps that namespace alive.
  static Result<RouteSocket> open_in(int netns);

  /// kNotFound if there is none of that name.
  Result<Link> link(std::string_view name);
  Result<std::vector<Link>> links();
  Result<std::vector<InterfaceAddress>> addresses();
  Result<std::vector<Route>> routes();

  /// Makes a bridge, without spanning tree, without IPv6 addresses of its own, down.
  Result<void> add_bridge(const BridgeSpec& spec);
  Result<void> add_veth(const VethSpec& spec);
  /// Removes a link; its peer goes with it. Waits for RCU: tens of milliseconds.
  Result<void> remove_link(const Link& link);
  /// Removes every link of the group at the price of one. Fine if there is none.
  Result<void> remove_group(std::uint32_t group);

  Result<void> set_up(const Link& link);
  /// A bridge that was given an address keeps it; otherwise it takes the lowest of its ports' at
  /// any time (br_stp_recalculate_bridge_id), and frames to the one before are lost.
  Result<void> set_mac(const Link& link, const MacAddress& mac);
  /// Waits until a link that is up and has a carrier also carries: the kernel switches its queue,
  /// and its bridge port, on from a work queue (net/core/link_watch.c), and drops what is sent
  /// before. kInternal after a fifth of a second.
  Result<void> wait_until_running(std::string_view name);
  Result<void> set_group(const Link& link, std::uint32_t group);
  /// No IPv6 link-local address is made when the link comes up.
  Result<void> disable_ipv6_autoconfiguration(const Link& link);
  /// A bridge port may send a frame back where it came from.
  Result<void> set_hairpin(const Link& port);
  /// Packets of 127.0.0.0/8 may pass this link (ip-sysctl, route_localnet).
  Result<void> allow_loopback_addresses(const Link& link);

  /// Fine if the link has the address already.
  Result<void> add_address(const Link& link, in_addr address, int prefix_length);
  Result<void> remove_address(const Link& link, in_addr address, int prefix_length);
  Result<void> add_default_route(in_addr gateway);
  Result<void> assign(const Link& link, const InterfacePlan& plan);

 private:
  explicit RouteSocket(NetlinkSocket socket) : socket_(std::move(socket)) {}

  NetlinkSocket socket_;
};

}  // namespace berth::sys
