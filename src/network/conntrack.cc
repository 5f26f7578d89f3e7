#include "network/conntrack.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>

#include "sys/netlink.h"

namespace berth::network {
namespace {

// The bits of CTA_FILTER_ORIG_FLAGS and CTA_FILTER_REPLY_FLAGS: which fields of the tuple count.
// They are part of the kernel's interface, in no header of it (net/netfilter/nf_internals.h,
// Linux 5.8 and later).
constexpr std::uint32_t kMatchSourceAddress = 1U << 0;
constexpr std::uint32_t kMatchDestinationAddress = 1U << 1;
constexpr std::uint32_t kMatchProtocol = 1U << 3;
constexpr std::uint32_t kMatchSourcePort = 1U << 4;
constexpr std::uint32_t kMatchDestinationPort = 1U << 5;

/// One request that deletes every entry matching the tuple. A kernel that cannot filter
/// (before 5.12) refuses it, since a tuple without all its fields names no entry.
Result<void> forget(bool original, Ipv4 address, std::uint16_t port) {
  sys::NetlinkMessage message(fmt::format("forget UDP flows of {}:{}", to_string(address), port),
                              NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, 0);
  message.append(nfgenmsg{.nfgen_family = AF_INET, .version = 1, .res_id = 0});
  const in_addr wire_address = address.network_order();
  const std::uint16_t wire_port = htons(port);
  message.nest((original ? CTA_TUPLE_ORIG : CTA_TUPLE_REPLY) | NLA_F_NESTED, [&] {
    message.nest(CTA_TUPLE_IP | NLA_F_NESTED, [&] {
      message.put_bytes(original ? CTA_IP_V4_DST : CTA_IP_V4_SRC, &wire_address,
                        sizeof wire_address);
    });
    message.nest(CTA_TUPLE_PROTO | NLA_F_NESTED, [&] {
      message.put_u8(CTA_PROTO_NUM, IPPROTO_UDP);
      message.put_u16(original ? CTA_PROTO_DST_PORT : CTA_PROTO_SRC_PORT, wire_port);
    });
  });
  message.nest(CTA_FILTER | NLA_F_NESTED, [&] {
    const std::uint32_t to = kMatchDestinationAddress | kMatchProtocol | kMatchDestinationPort;
    const std::uint32_t from = kMatchSourceAddress | kMatchProtocol | kMatchSourcePort;
    message.put_u32(CTA_FILTER_ORIG_FLAGS, original ? to : 0);
    message.put_u32(CTA_FILTER_REPLY_FLAGS, original ? 0 : from);
  });
  sys::NetlinkSocket socket = TRY(sys::NetlinkSocket::open(NETLINK_NETFILTER));
  return socket.execute(std::move(message));
}

}  // namespace

Result<void> forget_udp_to(Ipv4 host, std::uint16_t port) {
  return forget(true, host, port);
}

Result<void> forget_udp_answered_by(Ipv4 container, std::uint16_t port) {
  return forget(false, container, port);
}

}  // namespace berth::network
