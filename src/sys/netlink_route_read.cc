// What the kernel reports: the reading half of RouteSocket, and the text form of MAC addresses.
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <poll.h>

#include <cstdio>
#include <cstring>
#include <utility>

#include "sys/netlink_route.h"

namespace berth::sys {
namespace {

// A dump that raced a change is repeated this often: on a busy host some change is always under
// way, and then the last answer, complete but for what just moved, is as good as any.
constexpr int kDumpAttempts = 5;

// A millisecond apart.
constexpr int kRunningAttempts = 5000;

std::string string_of(const nlattr* attribute) {
  const auto* text = static_cast<const char*>(nla_data(attribute));
  return std::string(text, ::strnlen(text, static_cast<std::size_t>(nla_len(attribute))));
}

std::uint32_t u32_of(const nlattr* attribute) {
  std::uint32_t value = 0;
  if (attribute != nullptr && nla_len(attribute) >= static_cast<int>(sizeof value))
    value = nla_get_u32(attribute);
  return value;
}

std::optional<Link> parse_link(nlmsghdr* header) {
  if (header->nlmsg_type != RTM_NEWLINK ||
      nlmsg_datalen(header) < static_cast<int>(sizeof(ifinfomsg)))
    return {};
  nlattr* attributes[IFLA_MAX + 1];
  if (nlmsg_parse(header, sizeof(ifinfomsg), attributes, IFLA_MAX, nullptr) != 0) return {};
  const auto* info = static_cast<const ifinfomsg*>(nlmsg_data(header));
  Link link;
  link.index = info->ifi_index;
  link.flags = info->ifi_flags;
  if (attributes[IFLA_IFNAME] != nullptr) link.name = string_of(attributes[IFLA_IFNAME]);
  link.group = u32_of(attributes[IFLA_GROUP]);
  link.mtu = u32_of(attributes[IFLA_MTU]);
  link.master = static_cast<int>(u32_of(attributes[IFLA_MASTER]));
  if (const nlattr* mac = attributes[IFLA_ADDRESS];
      mac != nullptr && nla_len(mac) == int{sizeof(MacAddress)}) {
    std::memcpy(link.mac.data(), nla_data(mac), link.mac.size());
  }
  nlattr* details[IFLA_INFO_MAX + 1];
  if (attributes[IFLA_LINKINFO] != nullptr &&
      nla_parse_nested(details, IFLA_INFO_MAX, attributes[IFLA_LINKINFO], nullptr) == 0 &&
      details[IFLA_INFO_KIND] != nullptr) {
    link.kind = string_of(details[IFLA_INFO_KIND]);
  }
  return link;
}

std::optional<InterfaceAddress> parse_address(nlmsghdr* header) {
  if (header->nlmsg_type != RTM_NEWADDR ||
      nlmsg_datalen(header) < static_cast<int>(sizeof(ifaddrmsg)))
    return {};
  nlattr* attributes[IFA_MAX + 1];
  if (nlmsg_parse(header, sizeof(ifaddrmsg), attributes, IFA_MAX, nullptr) != 0) return {};
  const auto* info = static_cast<const ifaddrmsg*>(nlmsg_data(header));
  const nlattr* local =
      attributes[IFA_LOCAL] != nullptr ? attributes[IFA_LOCAL] : attributes[IFA_ADDRESS];
  if (info->ifa_family != AF_INET || local == nullptr) return {};
  return InterfaceAddress{static_cast<int>(info->ifa_index), in_addr{u32_of(local)},
                          info->ifa_prefixlen};
}

std::optional<Route> parse_route(nlmsghdr* header) {
  if (header->nlmsg_type != RTM_NEWROUTE || nlmsg_datalen(header) < static_cast<int>(sizeof(rtmsg)))
    return {};
  nlattr* attributes[RTA_MAX + 1];
  if (nlmsg_parse(header, sizeof(rtmsg), attributes, RTA_MAX, nullptr) != 0) return {};
  const auto* info = static_cast<const rtmsg*>(nlmsg_data(header));
  if (info->rtm_family != AF_INET || info->rtm_type != RTN_UNICAST ||
      info->rtm_table != RT_TABLE_MAIN)
    return {};
  return Route{in_addr{u32_of(attributes[RTA_DST])}, info->rtm_dst_len,
               static_cast<int>(u32_of(attributes[RTA_OIF])),
               attributes[RTA_GATEWAY] != nullptr || attributes[RTA_VIA] != nullptr};
}

/// Every object of a kind, as `parse` understands it; what it does not understand is left out.
template <typename T, typename Header>
Result<std::vector<T>> dump(NetlinkSocket& socket, std::string_view what, std::uint16_t type,
                            const Header& header, std::optional<T> (*parse)(nlmsghdr*)) {
  std::vector<T> found;
  for (int attempt = 1;; ++attempt) {
    found.clear();
    NetlinkMessage message{std::string(what), type, NLM_F_DUMP};
    message.append(header);
    Result<void> done = socket.query(std::move(message), [&](nlmsghdr* answer) {
      if (std::optional<T> object = parse(answer)) found.push_back(std::move(*object));
    });
    if (done.ok() || (done.error().os_errno() == EAGAIN && attempt == kDumpAttempts)) return found;
    if (done.error().os_errno() != EAGAIN) return std::move(done).error();
  }
}

}  // namespace

Result<Link> RouteSocket::link(std::string_view name) {
  NetlinkMessage message(fmt::format("find link {}", name), RTM_GETLINK, 0);
  message.append(ifinfomsg{});
  message.put_string(IFLA_IFNAME, name);
  std::optional<Link> found;
  TRY(socket_.query(std::move(message), [&](nlmsghdr* answer) {
    if (!found) found = parse_link(answer);
  }));
  if (!found) return fail(ErrorKind::kNotFound, "find link {}: the kernel gave no answer", name);
  return std::move(*found);
}

Result<void> RouteSocket::wait_until_running(std::string_view name) {
  // Since Linux 6.9 the question itself makes the kernel catch up (rtnl_getlink()); before, it does
  // so in its own time.
  for (int attempt = 0; attempt < kRunningAttempts; ++attempt) {
    const Link found = TRY(link(name));
    if ((found.flags & IFF_RUNNING) != 0) return {};
    (void)::poll(nullptr, 0, 1);
  }
  return fail(ErrorKind::kInternal, "link {} is up and does not run: is its other end up?", name);
}

Result<std::vector<Link>> RouteSocket::links() {
  return dump(socket_, "list links", RTM_GETLINK, ifinfomsg{}, parse_link);
}

Result<std::vector<InterfaceAddress>> RouteSocket::addresses() {
  ifaddrmsg header{};
  header.ifa_family = AF_INET;
  return dump(socket_, "list addresses", RTM_GETADDR, header, parse_address);
}

Result<std::vector<Route>> RouteSocket::routes() {
  rtmsg header{};
  header.rtm_family = AF_INET;
  return dump(socket_, "list routes", RTM_GETROUTE, header, parse_route);
}

std::string format_mac(const MacAddress& mac) {
  return fmt::format("{:02x}", fmt::join(mac, ":"));
}

Result<MacAddress> parse_mac(std::string_view text) {
  MacAddress mac{};
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  bool good = text.size() == 17;
  for (std::size_t i = 0; good && i < mac.size(); ++i) {
    const int high = digit(text[3 * i]);
    const int low = digit(text[3 * i + 1]);
    good = high >= 0 && low >= 0 && (i == 5 || text[3 * i + 2] == ':');
    mac[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  // A multicast or all-zero address cannot belong to an interface (is_valid_ether_addr()).
  good = good && (mac[0] & 1) == 0 && mac != MacAddress{};
  if (!good)
    return fail(ErrorKind::kInvalid,
                "'{}' is no MAC address of an interface: write it as 02:42:ac:11:00:02", text);
  return mac;
}

}  // namespace berth::sys
