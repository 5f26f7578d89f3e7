// A workload as others see it: the rows of ps, and inspect.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/json.h"
#include "engine/workload.h"

namespace berth::docker {

/// "Up 5 minutes", "Exited (0) 3 hours ago", "Created".
std::string status_text(const engine::WorkloadStatus& status, WallTime at);

OrderedJson container_summary_json(const engine::WorkloadView& view, WallTime at);
OrderedJson container_inspect_json(const engine::WorkloadView& view,
                                   const std::string& storage_driver);

}  // namespace berth::docker
