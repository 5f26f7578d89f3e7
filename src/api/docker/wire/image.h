// Images: the rows of `images`, inspect, history, and what a removal says.
#pragma once

#include <cstdint>

#include "api/docker/api_version.h"
#include "base/json.h"
#include "image/image_service.h"

namespace berth::docker {

/// `containers`: how many workloads use it; -1: not counted.
OrderedJson image_summary_json(const image::Image& image, std::int64_t containers,
                               ApiVersion version);
OrderedJson image_inspect_json(const image::Image& image, const std::string& storage_driver,
                               ApiVersion version);
/// Newest first.
OrderedJson image_history_json(const image::Image& image);
OrderedJson image_removal_json(const image::RemoveResult& removed);

}  // namespace berth::docker
