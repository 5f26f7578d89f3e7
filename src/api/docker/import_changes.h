// The `changes` of an import: lines of a Dockerfile that set an image's configuration.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "image/image_service.h"

namespace berth::docker {

/// CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME, WORKDIR. kInvalid names the line
/// that is wrong.
Result<image::ImageConfig> parse_import_changes(const std::vector<std::string>& changes);

}  // namespace berth::docker
