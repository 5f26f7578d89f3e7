// /system/df: what the engine's things weigh, as far as it is known.
#pragma once

#include <vector>

#include "api/docker/api_version.h"
#include "base/json.h"
#include "engine/workload.h"
#include "image/image_service.h"

namespace berth::docker {

/// Volumes are those that a workload uses, and their size is -1: not measured.
OrderedJson disk_usage_json(const std::vector<image::Image>& images,
                            const std::vector<engine::WorkloadView>& views, ApiVersion version);

}  // namespace berth::docker
