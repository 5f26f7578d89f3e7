// The `changes` of an import or a commit: lines of a Dockerfile that set an image's configuration.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "image/image_service.h"

namespace berth::docker {

/// CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME, WORKDIR, applied to `config` in
/// their order. As in a Dockerfile, an entrypoint drops the command that was there before the
/// lines. kInvalid names the line that is wrong.
Result<image::ImageConfig> apply_import_changes(const std::vector<std::string>& changes,
                                                image::ImageConfig config);
/// The same for an image that has no configuration yet.
Result<image::ImageConfig> parse_import_changes(const std::vector<std::string>& changes);

}  // namespace berth::docker
