// The body of POST /containers/create, and the same Config again as inspect shows it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "engine/workload.h"
#include "image/image_service.h"

namespace berth::docker {

struct CreateRequest {
  engine::WorkloadConfig config;
  std::vector<std::string> warnings;
};

/// kInvalid names the member that is wrong, kUnsupported an option this engine does not have.
/// Unknown members are ignored, as Docker does.
Result<CreateRequest> parse_create_request(std::string_view body);

/// The part of a commit's body that an image can have. Nothing if there is no body, or "null".
Result<std::optional<image::ImageConfig>> parse_commit_config(std::string_view body);

OrderedJson container_config_json(const engine::WorkloadConfig& config);

}  // namespace berth::docker
