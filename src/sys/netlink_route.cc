#include "sys/netlink_route.h"

#include <arpa/inet.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#include <cstring>
#include <utility>

#include "sys/netns.h"

namespace berth::sys {
namespace {

constexpr std::uint16_t kCreate = NLM_F_CREATE | NLM_F_EXCL;

std::string text_of(in_addr address) {
  char text[INET_ADDRSTRLEN];
  return ::inet_ntop(AF_INET, &address, text, sizeof text);
}

ifinfomsg link_header(int index, unsigned flags = 0) {
  ifinfomsg header{};
  header.ifi_family = AF_UNSPEC;
  header.ifi_index = index;
  header.ifi_flags = flags;
  header.ifi_change = flags;
  return header;
}

/// Interface names are at most 15 bytes and free of what would confuse paths and tools
/// (dev_valid_name()).
Result<void> check_name(std::string_view name) {
  if (name.empty() || name.size() >= IFNAMSIZ || name == "." || name == ".." ||
      name.find_first_of("/: \t\n") != name.npos) {
    return fail(
        ErrorKind::kInvalid,
        "'{}' is no name for a network interface: 1 to {} characters without '/', ':' or spaces",
        name, IFNAMSIZ - 1);
  }
  return {};
}

NetlinkMessage address_message(std::string what, std::uint16_t type, std::uint16_t flags, int index,
                               in_addr address, int prefix_length) {
  NetlinkMessage message(std::move(what), type, flags);
  ifaddrmsg header{};
  header.ifa_family = AF_INET;
  header.ifa_prefixlen = static_cast<std::uint8_t>(prefix_length);
  header.ifa_index = static_cast<std::uint32_t>(index);
  message.append(header);
  message.put_bytes(IFA_LOCAL, &address, sizeof address);
  message.put_bytes(IFA_ADDRESS, &address, sizeof address);
  return message;
}

NetlinkMessage mac_message(const Link& link, const MacAddress& mac) {
  NetlinkMessage message(fmt::format("set the MAC address of {} to {}", link.name, format_mac(mac)),
                         RTM_NEWLINK, 0);
  message.append(link_header(link.index));
  message.put_bytes(IFLA_ADDRESS, mac.data(), mac.size());
  return message;
}

NetlinkMessage default_route_message(in_addr gateway) {
  NetlinkMessage message(fmt::format("add a default route via {}", text_of(gateway)), RTM_NEWROUTE,
                         kCreate);
  rtmsg header{};
  header.rtm_family = AF_INET;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_BOOT;
  header.rtm_scope = RT_SCOPE_UNIVERSE;
  header.rtm_type = RTN_UNICAST;
  message.append(header);
  message.put_bytes(RTA_GATEWAY, &gateway, sizeof gateway);
  return message;
}

}  // namespace

Result<RouteSocket> RouteSocket::open() {
  return RouteSocket(TRY(NetlinkSocket::open(NETLINK_ROUTE)));
}

Result<RouteSocket> RouteSocket::open_in(int netns) {
  return run_in_network_namespace(netns, [] { return RouteSocket::open(); });
}

Result<void> RouteSocket::add_bridge(const BridgeSpec& spec) {
  TRY(check_name(spec.name));
  NetlinkMessage message(fmt::format("add bridge {}", spec.name), RTM_NEWLINK, kCreate);
  message.append(link_header(0));
  message.put_string(IFLA_IFNAME, spec.name);
  message.put_u32(IFLA_GROUP, spec.group);
  message.put_u32(IFLA_MTU, spec.mtu);
  message.nest(IFLA_LINKINFO, [&] {
    message.put_string(IFLA_INFO_KIND, "bridge");
    message.nest(IFLA_INFO_DATA, [&] { message.put_u32(IFLA_BR_STP_STATE, 0); });
  });
  TRY(socket_.execute(std::move(message)));
  return disable_ipv6_autoconfiguration(TRY(link(spec.name)));
}

Result<void> RouteSocket::add_veth(const VethSpec& spec) {
  TRY(check_name(spec.name));
  TRY(check_name(spec.peer_name));
  NetlinkMessage message(fmt::format("add veth pair {} with peer {}", spec.name, spec.peer_name),
                         RTM_NEWLINK, kCreate);
  message.append(link_header(0));
  message.put_string(IFLA_IFNAME, spec.name);
  message.put_u32(IFLA_GROUP, spec.group);
  message.put_u32(IFLA_MTU, spec.mtu);
  if (spec.master != 0) message.put_u32(IFLA_MASTER, static_cast<std::uint32_t>(spec.master));
  message.nest(IFLA_LINKINFO, [&] {
    message.put_string(IFLA_INFO_KIND, "veth");
    message.nest(IFLA_INFO_DATA, [&] {
      message.nest(VETH_INFO_PEER, [&] {
        message.append(link_header(0));
        message.put_string(IFLA_IFNAME, spec.peer_name);
        message.put_u32(IFLA_MTU, spec.mtu);
        if (spec.peer_netns >= 0)
          message.put_u32(IFLA_NET_NS_FD, static_cast<std::uint32_t>(spec.peer_netns));
      });
    });
  });
  return socket_.execute(std::move(message));
}

Result<void> RouteSocket::remove_link(const Link& link) {
  NetlinkMessage message(fmt::format("remove link {}", link.name), RTM_DELLINK, 0);
  message.append(link_header(link.index));
  return socket_.execute(std::move(message));
}

Result<void> RouteSocket::remove_group(std::uint32_t group) {
  NetlinkMessage message(fmt::format("remove the links of group {}", group), RTM_DELLINK, 0);
  message.append(link_header(0));
  message.put_u32(IFLA_GROUP, group);
  Result<void> done = socket_.execute(std::move(message));
  if (!done.ok() && done.error().os_errno() == ENODEV) return {};
  return done;
}

Result<void> RouteSocket::set_up(const Link& link) {
  NetlinkMessage message(fmt::format("set link {} up", link.name), RTM_NEWLINK, 0);
  message.append(link_header(link.index, IFF_UP));
  return socket_.execute(std::move(message));
}

Result<void> RouteSocket::set_group(const Link& link, std::uint32_t group) {
  NetlinkMessage message(fmt::format("put link {} into group {}", link.name, group), RTM_NEWLINK,
                         0);
  message.append(link_header(link.index));
  message.put_u32(IFLA_GROUP, group);
  return socket_.execute(std::move(message));
}

Result<void> RouteSocket::disable_ipv6_autoconfiguration(const Link& link) {
  NetlinkMessage message(fmt::format("keep IPv6 off link {}", link.name), RTM_NEWLINK, 0);
  message.append(link_header(link.index));
  message.nest(IFLA_AF_SPEC, [&] {
    message.nest(AF_INET6,
                 [&] { message.put_u8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE); });
  });
  Result<void> done = socket_.execute(std::move(message));
  // A kernel booted with ipv6.disable=1 does not know the family: nothing to keep off.
  if (!done.ok() && done.error().os_errno() == EAFNOSUPPORT) return {};
  return done;
}

Result<void> RouteSocket::set_hairpin(const Link& port) {
  NetlinkMessage message(fmt::format("set hairpin mode on bridge port {}", port.name), RTM_SETLINK,
                         0);
  ifinfomsg header = link_header(port.index);
  header.ifi_family = AF_BRIDGE;
  message.append(header);
  message.nest(IFLA_PROTINFO | NLA_F_NESTED,
               [&] { message.put_u8(IFLA_BRPORT_MODE, BRIDGE_MODE_HAIRPIN); });
  return socket_.execute(std::move(message));
}

Result<void> RouteSocket::allow_loopback_addresses(const Link& link) {
  NetlinkMessage message(fmt::format("set route_localnet on link {}", link.name), RTM_NEWLINK, 0);
  message.append(link_header(link.index));
  message.nest(IFLA_AF_SPEC, [&] {
    message.nest(AF_INET, [&] {
      message.nest(IFLA_INET_CONF, [&] { message.put_u32(IPV4_DEVCONF_ROUTE_LOCALNET, 1); });
    });
  });
  return socket_.execute(std::move(message));
}

Result<void> RouteSocket::add_address(const Link& link, in_addr address, int prefix_length) {
  Result<void> done = socket_.execute(address_message(
      fmt::format("add address {}/{} to {}", text_of(address), prefix_length, link.name),
      RTM_NEWADDR, kCreate, link.index, address, prefix_length));
  if (!done.ok() && done.error().os_errno() == EEXIST) return {};
  return done;
}

Result<void> RouteSocket::remove_address(const Link& link, in_addr address, int prefix_length) {
  return socket_.execute(address_message(
      fmt::format("remove address {}/{} from {}", text_of(address), prefix_length, link.name),
      RTM_DELADDR, 0, link.index, address, prefix_length));
}

Result<void> RouteSocket::add_default_route(in_addr gateway) {
  return socket_.execute(default_route_message(gateway));
}

Result<void> RouteSocket::set_mac(const Link& link, const MacAddress& mac) {
  return socket_.execute(mac_message(link, mac));
}

Result<void> RouteSocket::assign(const Link& link, const InterfacePlan& plan) {
  std::vector<NetlinkMessage> batch;
  batch.reserve(3);
  if (plan.mac) batch.push_back(mac_message(link, *plan.mac));
  batch.push_back(address_message(
      fmt::format("add address {}/{} to {}", text_of(plan.address), plan.prefix_length, link.name),
      RTM_NEWADDR, kCreate, link.index, plan.address, plan.prefix_length));
  if (plan.gateway) batch.push_back(default_route_message(*plan.gateway));
  return socket_.execute(batch);
}

}  // namespace berth::sys
