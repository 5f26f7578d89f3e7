// A world for tests: the calling thread moves into a network namespace of its own, which plays the
// host (nftables tables and settings are per namespace, so nothing of the machine is touched), and
// a second one plays the network outside of it:
//
//   outside 198.51.100.2 ---- uplink 198.51.100.1 host          192.0.2.1 is a second address of
//   the host
//
// Needs root. Servers and clients are plain sockets opened inside of a namespace.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/result.h"
#include "base/unique_fd.h"
#include "network/cnm.h"

namespace berth::network {

inline constexpr const char* kHostAddress = "198.51.100.1";
inline constexpr const char* kSecondHostAddress = "192.0.2.1";
inline constexpr const char* kOutsideAddress = "198.51.100.2";

/// What is on the host: each link with its group, each address, each nftables table as text.
using HostState = std::map<std::string, std::string>;

class World {
 public:
  /// Moves the calling thread. Aborts the test program if it cannot (no root).
  World();
  ~World();

  int host() const { return host_.get(); }
  int outside() const { return outside_.get(); }
  /// A fresh directory for an engine's state, removed at the end.
  const std::string& directory() const { return directory_; }

  HostState state() const;
  /// Waits until `wanted` holds, looking again whenever the kernel reports a change of links. False
  /// after 10 s.
  bool wait_for_state(const HostState& wanted) const;

 private:
  UniqueFd home_;
  UniqueFd host_;
  UniqueFd outside_;
  std::string directory_;
};

/// Serves one port inside a namespace until destroyed: every TCP connection, or UDP packet, is
/// answered with
/// "<greeting> <address of the client>".
class Server {
 public:
  Server(int netns, Protocol protocol, std::uint16_t port, std::string greeting,
         const std::string& address = "0.0.0.0");
  ~Server();

 private:
  void serve(Protocol protocol) const;

  std::string greeting_;
  UniqueFd socket_;
  UniqueFd stop_;  // eventfd
  std::thread thread_;
};

/// What a server says to a client in `netns`; an error if nobody answers within `patience`.
/// `from_port`: 0: any.
Result<std::string> ask(int netns, Protocol protocol, const std::string& address,
                        std::uint16_t port, std::uint16_t from_port = 0,
                        std::chrono::milliseconds patience = std::chrono::seconds(5));

/// Whether somebody answers a TCP client within five seconds.
bool reachable(int netns, const std::string& address, std::uint16_t port);

/// Whether nobody answers. A refusal is seen at once, a dropped packet after a third of a second.
bool unreachable(int netns, const std::string& address, std::uint16_t port);

}  // namespace berth::network
