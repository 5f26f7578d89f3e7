// Which images a list means.
#pragma once

#include <string_view>
#include <vector>

#include "api/docker/filters.h"
#include "base/result.h"
#include "image/image_service.h"

namespace berth::docker {

/// True if `pattern`, a shell pattern, fits the name with or without its tag.
bool reference_matches(std::string_view pattern, const std::string& repo_tag);

/// The images that `filters` select, newest first; of an image that a reference filter selects by
/// some of its names, those names only.
Result<std::vector<image::Image>> select_images(std::vector<image::Image> images,
                                                const Filters& filters);

}  // namespace berth::docker
