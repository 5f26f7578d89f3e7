// PortReservations: host ports held by listening sockets, so that neither another process nor
// another endpoint takes them and `ss -l` shows whose they are. Nothing is ever served from them:
// published traffic is redirected before it would get here, and a socket filter drops whatever else
// arrives. They end with the process; adopt() takes them again. Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "network/cnm.h"

namespace berth::network {

class PortReservations {
 public:
  /// Reserves all of `ports` or none; a host_port of 0 becomes one that the kernel picks. kConflict
  /// says, in Docker's words, that a port is allocated already (by this engine) or in use (by
  /// someone else).
  Result<void> reserve(std::span<PortBinding> ports);
  /// Ports that are not reserved are fine.
  void release(std::span<const PortBinding> ports);

 private:
  using Key = std::tuple<Protocol, std::string, std::uint16_t>;  // protocol, address, host port
  Result<void> reserve_one(PortBinding& port);

  std::mutex mutex_;
  std::map<Key, UniqueFd> held_;  // GUARDED_BY(mutex_)
};

/// "8080/tcp", "tcp".
std::string_view to_string(Protocol protocol);

}  // namespace berth::network
