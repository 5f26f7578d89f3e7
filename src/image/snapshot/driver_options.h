// What an operator may say about a storage driver: --storage-opt KEY=VALUE, with Docker's keys.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "image/snapshot/thin_pool.h"

namespace berth::image {

struct DriverOptions {
  ThinPoolOptions thin_pool = {};
};

/// For the driver called `driver`. kInvalid: an unknown key, a key that is another driver's, or a
/// value that is none. Sizes are "10G", "512MB" or bytes; letters stand for powers of 1024.
Result<DriverOptions> parse_driver_options(std::string_view driver,
                                           std::span<const std::string> words);

}  // namespace berth::image
