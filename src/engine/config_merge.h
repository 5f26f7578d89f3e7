// What a workload really runs: the request with the image's defaults filled in, and the checks that
// need no more of the host than its number of CPUs.
#pragma once

#include "base/result.h"
#include "engine/workload.h"
#include "image/image_service.h"

namespace berth::engine {

/// Fills in what `config` leaves open from the image, by Docker's rules: an entrypoint of the
/// user's own drops the image's command; environment, labels, ports and volumes are merged, the
/// user's winning.
void merge_image_config(WorkloadConfig& config, const image::ImageConfig& image);

/// As many CPUs as this process may run on: sched_getaffinity(2), as Docker counts them.
unsigned available_cpus();

/// Refuses what a host of `cpus` CPUs could not run, in a sentence that names the option. Call
/// after merge_image_config().
Result<void> validate_config(const WorkloadConfig& config, unsigned cpus = available_cpus());

/// "TERM", "SIGTERM", "15" -> 15. kInvalid names the text.
Result<int> parse_signal(std::string_view text);

}  // namespace berth::engine
