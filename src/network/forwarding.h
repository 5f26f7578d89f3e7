// Forwarding: the host must route for its bridges, and must not become a router for everything else
// because of it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "network/firewall.h"
#include "network/host_links.h"

namespace berth::network {

/// Turns net.ipv4.ip_forward on if it is off, says so in the log, and has `firewall` drop what
/// would now pass between the links that exist at this moment and so did not forward to each other
/// before. Links that come later (another engine's bridge, a VPN) are not concerned. `lo` is always
/// among the closed: the sign that it was this engine who turned forwarding on.
Result<void> ensure_forwarding(Firewall& firewall, const HostLinks& links);

/// The way back, when an engine leaves the host and its own links are gone already; `closed` is
/// what its table says. Turns forwarding off if that engine turned it on, unless a link has come
/// since, which may need it: then false, and what was closed has to stay closed.
Result<bool> end_forwarding(const std::vector<std::string>& closed, const HostLinks& links);

}  // namespace berth::network
