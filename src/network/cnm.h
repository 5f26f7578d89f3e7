// The container network model: three nouns and the driver interface (Docker's CNM).
//   Sandbox   one network namespace with everything in it: interfaces, addresses, routes, DNS settings
//   Endpoint  one sandbox's place on one network: an interface, its addresses, its published ports
//   Network   a group of endpoints that can talk to each other, realised by a driver
// A sandbox is held by a namespace fd, never by a bind mount: it lives as long as the processes in it, or the fd.
// Everything here is plain data that survives in the caller's records; adopt() takes it back after a restart.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/strong_id.h"
#include "base/unique_fd.h"

namespace berth::network {

using NetworkId = StrongId<struct NetworkIdTag>;
using EndpointId = StrongId<struct EndpointIdTag>;

enum class Protocol : std::uint8_t { kTcp, kUdp, kSctp };

/// One published port. host_port 0 on request: the engine picks one; in an Endpoint it is always filled in.
struct PortBinding {
  Protocol protocol = Protocol::kTcp;
  std::uint16_t container_port = 0;
  std::string host_ip;  // "" : every address
  std::uint16_t host_port = 0;
  friend bool operator==(const PortBinding&, const PortBinding&) = default;
};

struct NetworkInfo {
  NetworkId id;
  std::string name;
  std::string driver;   // "bridge", "host", "null"
  std::string subnet;   // "172.17.0.0/16", empty where the driver has none
  std::string gateway;  // "172.17.0.1"
  bool internal = false;
  std::string created;  // RFC 3339
  std::map<std::string, std::string> options;
};

/// What was made for one sandbox on one network. The caller stores it and hands it back to release() or adopt().
struct Endpoint {
  EndpointId id;
  NetworkId network;
  std::string network_name;
  std::string interface;   // inside: "eth0"; empty for host and null
  std::string host_link;   // outside: "veth1a2b3c4"
  std::string address;     // "172.17.0.2"
  int prefix_length = 0;
  std::string gateway;
  std::string mac;
  std::vector<PortBinding> ports;
};

struct EndpointOptions {
  std::string address;  // "" : IPAM picks
  std::string mac;      // "" : made up, locally administered
  std::vector<PortBinding> ports;
};

/// One driver of networks. Implementations: null, host, bridge. Thread-safe. docs/design/network.md has the contract.
class Driver {
 public:
  virtual ~Driver() = default;
  virtual std::string_view name() const = 0;
  /// False: endpoints get no sandbox of their own (host).
  virtual bool has_sandbox() const = 0;

  virtual Result<void> create_network(const NetworkInfo& network) = 0;
  virtual Result<void> delete_network(const NetworkInfo& network) = 0;
  /// Reserves and makes what the endpoint needs outside of the sandbox. Fills in `endpoint`.
  virtual Result<void> create_endpoint(const NetworkInfo& network, const EndpointOptions& options, Endpoint& endpoint) = 0;
  virtual Result<void> delete_endpoint(const NetworkInfo& network, const Endpoint& endpoint) = 0;
  /// Moves the endpoint into the sandbox: interface, address, routes.
  virtual Result<void> join(const NetworkInfo& network, Endpoint& endpoint, int sandbox_fd) = 0;
  virtual Result<void> leave(const NetworkInfo& network, const Endpoint& endpoint) = 0;
  /// Opens and closes the published ports.
  virtual Result<void> program_external(const NetworkInfo& network, Endpoint& endpoint) = 0;
  virtual Result<void> revoke_external(const NetworkInfo& network, const Endpoint& endpoint) = 0;
  /// Takes back an endpoint that an earlier process made and whose sandbox still lives.
  virtual Result<void> adopt(const NetworkInfo& network, const Endpoint& endpoint) = 0;
};

}  // namespace berth::network
