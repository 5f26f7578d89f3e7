// unpack_layer(): one layer, compressed or not, becomes a committed snapshot.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/byte_source.h"
#include "base/result.h"
#include "image/snapshot/snapshotter.h"

namespace berth::image {

/// What the keys of snapshots start with while they are being unpacked; such a one that a crash
/// left is garbage.
inline constexpr std::string_view kUnpackPrefix = "unpack-";

struct UnpackedLayer {
  std::string key;      // of the active snapshot that holds it
  std::string diff_id;  // digest of the uncompressed tar
  std::uint64_t bytes = 0;
};

/// Unpacks `blob` into a new active snapshot on top of `parent` (empty: the base). Whoever calls
/// commits or removes it; after an error there is none.
Result<UnpackedLayer> unpack_layer(Snapshotter& snapshots, std::string_view parent,
                                   ByteSource& blob);

}  // namespace berth::image
