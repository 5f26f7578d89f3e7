// --network and the flags that describe the workload's place in it, as NetworkMode and
// EndpointsConfig.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "berth/create/options.h"

namespace berth::cli {

struct NetworkRequest {
  std::string mode;  // HostConfig.NetworkMode: the first network's name, or "default"
  Json endpoints;    // NetworkingConfig.EndpointsConfig: of each network that more than its name is
                     // said of
};

/// kInvalid: a field of "--network name=x,alias=y" is unknown, or a network is named twice.
Result<NetworkRequest> parse_networks(const CreateOptions& options);

}  // namespace berth::cli
