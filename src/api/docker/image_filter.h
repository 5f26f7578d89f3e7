// Which images a list means.
#pragma once

#include <functional>
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

/// What a prune removes of all images, as far as no workload was made of them: by default those
/// without a name; with the filter dangling=false all; made before `until`, and with these labels.
/// kInvalid names an unknown filter or value.
Result<std::function<bool(const image::Image&)>> image_prune_selection(const Filters& filters,
                                                                       WallTime at);

}  // namespace berth::docker
