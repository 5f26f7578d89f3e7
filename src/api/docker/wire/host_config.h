// HostConfig: the part of a container's configuration that depends on the host: resources, mounts,
// ports, isolation.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "engine/workload.h"

namespace berth::docker {

/// Takes the body's HostConfig over into `config`. Options that this engine would have to ignore
/// are refused with kUnsupported if a user would notice, and noted in `warnings` if only a tuner
/// would. Unknown members are ignored.
Result<void> parse_host_config(const Json& host_config, engine::WorkloadConfig& config,
                               std::vector<std::string>& warnings);

/// As inspect shows it: what the engine took over, and for the rest what the client had sent.
OrderedJson host_config_json(const engine::WorkloadConfig& config);

}  // namespace berth::docker
