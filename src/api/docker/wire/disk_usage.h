// /system/df: how much room the engine's things take.
#pragma once

#include <string>
#include <vector>

#include "api/docker/api_version.h"
#include "base/json.h"
#include "base/result.h"
#include "engine/engine.h"

namespace berth::docker {

/// What the answer is to tell of.
struct DiskUsageParts {
  bool images = true;
  bool containers = true;
  bool volumes = true;
};

/// Of the query's `type`, which may be given several times: "container", "image", "volume",
/// "build-cache". None: all.
Result<DiskUsageParts> parse_disk_usage_parts(const std::vector<std::string>& types);

OrderedJson disk_usage_json(const engine::DiskUsage& usage, DiskUsageParts parts,
                            ApiVersion version);

}  // namespace berth::docker
