// The bridge driver: a Linux bridge with the gateway's address; each endpoint a veth pair between
// it and a sandbox; out under the host's address (masquerade); published ports by destination NAT,
// also on the host's loopback, without a proxy process. The rules are in firewall_table.h; here
// only their elements come and go. Owns nothing: address pools, ports, links and rules belong to
// the services it is given, which outlive it.
#pragma once

#include "network/driver.h"
#include "network/firewall.h"
#include "network/host_links.h"
#include "network/ipam.h"
#include "network/port_reservations.h"

namespace berth::network {

/// The network option that names the bridge, as in Docker. Without it the name is made from the
/// network's id.
inline constexpr const char* kBridgeNameOption = "com.docker.network.bridge.name";

std::string bridge_name(const NetworkInfo& network);

/// The MAC address of an IPv4 address: 02:42 and its four bytes. An address that changes hands
/// keeps its MAC address, and the gateway's is the same after a restart, so no neighbour cache goes
/// stale.
sys::MacAddress mac_of(Ipv4 address);

class BridgeDriver final : public Driver {
 public:
  struct Services {
    Ipam& ipam;
    PortReservations& ports;
    HostLinks& links;
    Firewall& firewall;
  };
  explicit BridgeDriver(const Services& services) : services_(services) {}

  std::string_view name() const override { return "bridge"; }
  bool has_sandbox() const override { return true; }

  Result<void> create_network(const NetworkInfo& network) override;
  Result<void> delete_network(const NetworkInfo& network) override;
  Result<void> create_endpoint(const NetworkInfo& network, const EndpointOptions& options,
                               Endpoint& endpoint) override;
  Result<void> delete_endpoint(const NetworkInfo& network, const Endpoint& endpoint) override;
  Result<void> prepare(const NetworkInfo& network, Sandbox& sandbox) override;
  Result<void> join(const NetworkInfo& network, Endpoint& endpoint, Sandbox& sandbox) override;
  Result<void> leave(const NetworkInfo& network, const Endpoint& endpoint) override;
  Result<void> program_external(const NetworkInfo& network, Endpoint& endpoint) override;
  Result<void> revoke_external(const NetworkInfo& network, const Endpoint& endpoint) override;
  Result<void> adopt(const NetworkInfo& network, const Endpoint& endpoint) override;
  Result<void> remove_unclaimed(const NetworkInfo& network,
                                std::span<const Endpoint> claimed) override;
  void run_deferred() override;

 private:
  Services services_;
};

}  // namespace berth::network
