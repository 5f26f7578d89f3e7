// Connection tracking remembers where a flow went, longer than the rule that sent it there: a UDP
// client that talked to a port before it was published, or to a container that is gone, would keep
// missing for as long as it keeps trying. So its entries are deleted when a UDP port opens or
// closes. TCP needs none of this: a new connection is a new entry.
#pragma once

#include "base/result.h"
#include "network/ipv4.h"

namespace berth::network {

/// Forgets UDP flows that were addressed to `port` of `host`.
Result<void> forget_udp_to(Ipv4 host, std::uint16_t port);

/// Forgets UDP flows that `port` of `container` answers.
Result<void> forget_udp_answered_by(Ipv4 container, std::uint16_t port);

}  // namespace berth::network
