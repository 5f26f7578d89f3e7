// The container network model: its three nouns as plain data (Docker's CNM). driver.h is what
// realises them.
//   Sandbox   one network namespace with everything in it: interfaces, addresses, routes, DNS
//   settings Endpoint  one sandbox's place on one network: an interface, its addresses, its
//   published ports Network   a group of endpoints that can talk to each other, realised by a
//   driver
// A sandbox is held by a namespace fd, never by a bind mount: it lives as long as the processes in
// it, or the fd. The data survives in the caller's records; Controller::adopt() takes it back after
// a restart.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/strong_id.h"

namespace berth::network {

using NetworkId = StrongId<struct NetworkIdTag>;
using EndpointId = StrongId<struct EndpointIdTag>;

enum class Protocol : std::uint8_t { kTcp, kUdp, kSctp };

/// One published port. host_port 0 on request: the engine picks one; in an Endpoint it is always
/// filled in.
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
  friend bool operator==(const NetworkInfo&, const NetworkInfo&) = default;
};

/// What was made for one sandbox on one network. The caller stores it and hands it back to
/// release() or adopt().
struct Endpoint {
  EndpointId id;
  NetworkId network;
  std::string network_name;
  std::string interface;  // inside: "eth0"; empty for host and null
  std::string host_link;  // outside: "veth1a2b3c4"
  std::string address;    // "172.17.0.2"
  int prefix_length = 0;
  std::string gateway;
  std::string mac;
  std::vector<PortBinding> ports;
};

struct EndpointOptions {
  std::string name;     // of the workload; only errors speak of it
  std::string address;  // "" : IPAM picks
  std::string mac;      // "" : made up, locally administered
  std::vector<PortBinding> ports;
};

}  // namespace berth::network
