#include "network/forwarding.h"

#include <string>
#include <vector>

#include "base/log.h"
#include "network/sysctl.h"

namespace berth::network {
namespace {

constexpr std::string_view kIpForward = "net/ipv4/ip_forward";

}  // namespace

Result<void> ensure_forwarding(Firewall& firewall, const HostLinks& links) {
  if (TRY(read_sysctl(kIpForward)) != "0") return {};
  std::vector<std::string> names;
  for (const sys::Link& link : TRY(TRY(sys::RouteSocket::open()).links())) {
    if ((link.flags & IFF_LOOPBACK) != 0 || links.ours(link)) continue;
    if (is_plain_name(link.name)) {
      names.push_back(link.name);
    } else {
      log::warning(
          "link '{}' may be forwarded to from now on: its name cannot be put into a firewall rule",
          link.name);
    }
  }
  // First the guard, then the gate.
  TRY(firewall.close_forwarding_between(names));
  TRY(write_sysctl(kIpForward, "1").context("turn IPv4 forwarding on, which bridge networks need"));
  log::info(
      "net.ipv4.ip_forward was off and is on now; nothing is forwarded between the host's other "
      "links");
  return {};
}

}  // namespace berth::network
