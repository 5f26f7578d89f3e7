// Which containers a list or a prune means.
#pragma once

#include <vector>

#include "api/docker/filters.h"
#include "base/clock.h"
#include "base/result.h"
#include "engine/workload.h"

namespace berth::docker {

struct ListOptions {
  bool all = false;
  std::int64_t limit = 0;  // the newest so many, whatever their state; 0: no limit
  Filters filters;
};

/// The views that `options` select, in the order given (newest first). kInvalid names an unknown
/// filter or value.
Result<std::vector<engine::WorkloadView>> select_containers(std::vector<engine::WorkloadView> views,
                                                            const ListOptions& options);

/// Those that a prune removes: ended or never started, and made before `until` if that filter is
/// given.
Result<std::vector<engine::WorkloadView>> select_for_prune(std::vector<engine::WorkloadView> views,
                                                           const Filters& filters, WallTime at);

}  // namespace berth::docker
