// The table of every route of Docker's Engine API, served or refused.
#pragma once

#include <span>

#include "api/docker/router.h"

namespace berth::docker {

/// In the order in which they are tried.
std::span<const Route> routes();

}  // namespace berth::docker
