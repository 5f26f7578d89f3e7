// Layers that a registry may not give away: the manifest says where their owner does. Source:
// image-spec descriptor.md, "urls"; layer.md, "Non-Distributable Layers".
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "base/result.h"
#include "image/registry/registry_settings.h"

namespace berth::image {

/// The bytes from `offset` on at the first of `urls` that has them, unverified. Nobody there is
/// told who asks. The error is the last one's.
Result<std::unique_ptr<ByteSource>> fetch_foreign(const std::vector<std::string>& urls,
                                                  std::uint64_t offset,
                                                  const RegistrySettings& settings,
                                                  const std::stop_token& stop);

}  // namespace berth::image
