// Forwarding: the host must route for its bridges, and must not become a router for everything else
// because of it.
#pragma once

#include "base/result.h"
#include "network/firewall.h"
#include "network/host_links.h"

namespace berth::network {

/// Turns net.ipv4.ip_forward on if it is off, says so in the log, and has `firewall` drop what
/// would now pass between the links that exist at this moment and so did not forward to each other
/// before. Links that come later (another engine's bridge, a VPN) are not concerned. It is never
/// turned off again: somebody else may have come to need it.
Result<void> ensure_forwarding(Firewall& firewall, const HostLinks& links);

}  // namespace berth::network
