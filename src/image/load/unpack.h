// unpack_layer(): one layer, compressed or not, becomes a committed snapshot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
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

/// Is given the tar, uncompressed, as it is unpacked, by a thread of the call.
using TarCopy = std::function<Result<void>(std::span<const std::byte>)>;

/// Unpacks `blob` into a new active snapshot on top of `parent` (empty: the base). Whoever calls
/// commits or removes it; after an error, also of `copy`, there is none.
Result<UnpackedLayer> unpack_layer(Snapshotter& snapshots, std::string_view parent,
                                   ByteSource& blob, const TarCopy& copy = {});

}  // namespace berth::image
