// Networks and a workload's place on them.
#pragma once

#include <vector>

#include "base/json.h"
#include "engine/workload.h"
#include "network/cnm.h"

namespace berth::docker {

/// NetworkSettings.Networks: {"bridge": {...}}. A workload that does not run has the network but no
/// address.
OrderedJson endpoints_json(const engine::WorkloadView& view);
/// NetworkSettings of inspect.
OrderedJson network_settings_json(const engine::WorkloadView& view);

/// One network. `members`: workloads whose endpoints are listed as Containers; null: left out, as
/// in a list.
OrderedJson network_json(const network::NetworkInfo& network,
                         const std::vector<engine::WorkloadView>* members);

}  // namespace berth::docker
