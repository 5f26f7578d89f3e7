// Record: a workload as it stands on disk: what must be true again after the daemon, or the host,
// was restarted. JSON, one object per workload (docs/formats/engine-layout.md). Unknown members
// are ignored and missing ones take their defaults, so that a record of an older version can be
// read.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/workload.h"

namespace berth::engine {

/// Everything of `view` that outlives a start: status.pid and status.endpoint are not written.
std::string record_to_json(const WorkloadView& view);

/// kCorrupt names the member that cannot be read.
Result<WorkloadView> record_from_json(std::string_view text);

/// An endpoint alone, for the run directory: what the next daemon adopts.
std::string endpoint_to_json(const network::Endpoint& endpoint);
Result<network::Endpoint> endpoint_from_json(std::string_view text);

}  // namespace berth::engine
