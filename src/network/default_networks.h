// The networks that every engine has: bridge, host, none.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "network/cnm.h"

namespace berth::network {

/// `networks` with the three defaults in it: those that are there keep their ids. The bridge's
/// subnet is, in this order: `bridge_subnet` ("10.88.0.1/24"), the one it had unless the host uses
/// it otherwise by now, the first free default pool. Looks at the calling thread's namespace;
/// whoever calls holds a lock until the bridge has its address.
Result<std::vector<NetworkInfo>> with_default_networks(std::vector<NetworkInfo> networks,
                                                       const std::string& bridge,
                                                       const std::string& bridge_subnet);

}  // namespace berth::network
