// HostLinks: what this engine has on the host: its bridges, and its ends of the veth pairs. Every
// one carries the engine's interface group (man 8 ip-link, "group"), so that after any crash they
// can be told from everybody else's. An end that is no longer needed moves to a second group, the
// discarded, which is removed as a whole: the wait for RCU is paid once however many there are.
// Holds no state but the two numbers: thread-safe.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "network/ipv4.h"
#include "network/sandbox.h"
#include "sys/netlink_route.h"

namespace berth::network {

class HostLinks {
 public:
  /// `engine`: a name that differs from engine to engine on a host; the groups are derived from it.
  explicit HostLinks(std::string_view engine);

  /// Whether a link is of this engine, discarded or not.
  bool ours(const sys::Link& link) const { return (link.group & ~1U) == group_; }

  /// Makes the bridge, or takes back the one that is there; its only address is `gateway`, its
  /// MAC address `mac` whatever comes and goes on it, and it is up. kConflict if a link of that
  /// name belongs to somebody else.
  Result<sys::Link> ensure_bridge(std::string_view name, const Cidr& gateway,
                                  const sys::MacAddress& mac);
  Result<void> remove_bridge(std::string_view name);

  /// A veth pair between the bridge and `interface` in the sandbox, both ends up.
  Result<Leg> add_leg(const sys::Link& bridge, std::string_view interface, Sandbox& sandbox);

  /// Marks one of our veth ends for removal. Cheap. Fine if it is gone already.
  Result<void> discard(std::string_view host_link);
  /// Discards every port of the bridge that is ours and not among `claimed`.
  Result<void> discard_unclaimed(std::string_view bridge, const std::set<std::string>& claimed);
  /// Removes what was discarded. Slow.
  Result<void> remove_discarded();
  /// Removes every link of this engine. Slow.
  Result<void> remove_all();

 private:
  std::uint32_t discarded_group() const { return group_ | 1U; }

  std::uint32_t group_;  // even
};

}  // namespace berth::network
