// What a workload really runs: the request with the image's defaults filled in, and the checks that
// do not need the host.
#pragma once

#include "base/result.h"
#include "engine/workload.h"
#include "image/image_service.h"

namespace berth::engine {

/// Fills in what `config` leaves open from the image, by Docker's rules: an entrypoint of the
/// user's own drops the image's command; environment, labels, ports and volumes are merged, the
/// user's winning.
void merge_image_config(WorkloadConfig& config, const image::ImageConfig& image);

/// Refuses what no host could run, in a sentence that names the option. Call after
/// merge_image_config().
Result<void> validate_config(const WorkloadConfig& config);

/// "TERM", "SIGTERM", "15" -> 15. kInvalid names the text.
Result<int> parse_signal(std::string_view text);

}  // namespace berth::engine
