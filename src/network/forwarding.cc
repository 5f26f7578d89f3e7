#include "network/forwarding.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/log.h"
#include "network/sysctl.h"

namespace berth::network {
namespace {

constexpr std::string_view kIpForward = "net/ipv4/ip_forward";
constexpr const char* kSign = "lo";

}  // namespace

Result<void> ensure_forwarding(Firewall& firewall, const HostLinks& links) {
  if (TRY(read_sysctl(kIpForward)) != "0") return {};
  std::vector<std::string> names{kSign};
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

Result<bool> end_forwarding(const std::vector<std::string>& closed, const HostLinks& links) {
  if (std::ranges::find(closed, kSign) == closed.end()) return true;  // not ours to turn off
  if (TRY(read_sysctl(kIpForward)) == "0") return true;
  for (const sys::Link& link : TRY(TRY(sys::RouteSocket::open()).links())) {
    if ((link.flags & IFF_LOOPBACK) != 0 || links.ours(link) ||
        std::ranges::find(closed, link.name) != closed.end())
      continue;
    log::warning(
        "net.ipv4.ip_forward stays on, since {} may need it by now; nothing is forwarded between "
        "the links that were there before. Tear down once more when nobody needs it",
        link.name);
    return false;
  }
  TRY(write_sysctl(kIpForward, "0").context("turn IPv4 forwarding off again"));
  log::info("net.ipv4.ip_forward is off again, as it was before the engine came");
  return true;
}

}  // namespace berth::network
