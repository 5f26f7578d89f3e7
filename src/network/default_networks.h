// The networks that every engine has: bridge, host, none.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "network/cnm.h"

namespace berth::network {

struct DefaultBridge {
  std::string bridge;
  std::string subnet;   // as asked for, "10.88.0.1/24"; "": choose one
  bool in_use = false;  // workloads may be connected: it stays where it is
};

/// `networks` with the three defaults in it: those that are there keep their ids. The bridge's
/// subnet is, in this order: the one it had if it is in use, the one that is asked for, the one it
/// had unless the host uses it otherwise by now, the first free default pool. Looks at the calling
/// thread's namespace; whoever calls holds a lock until the bridge has its address.
Result<std::vector<NetworkInfo>> with_default_networks(std::vector<NetworkInfo> networks,
                                                       const DefaultBridge& wanted);

}  // namespace berth::network
