// How an image that is made of a container is to be run: as the container was, but for what whoever
// commits says otherwise.
#pragma once

#include "engine/workload.h"
#include "image/image_service.h"

namespace berth::engine {

/// The part of a container's configuration that an image can have.
image::ImageConfig image_config_of(const WorkloadConfig& config);

/// Fills in what `config` leaves open from the container's, by Docker's rules: the command goes
/// with the entrypoint; environment, labels, ports and volumes are merged, those of `config`
/// winning.
void fill_in_commit_config(image::ImageConfig& config, const image::ImageConfig& container);

}  // namespace berth::engine
