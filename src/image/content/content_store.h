// ContentStore: blobs by digest, in blobs/sha256/<hex> below one directory. A blob is there whole
// and verified, or not at all: it is written to a temporary file, hashed on the way, fsynced and
// renamed. It holds what is small and must be kept byte for byte (manifests, configs); layers live
// unpacked in the snapshotter. Thread-safe; two writers of one blob are harmless, for both write
// the same bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_source.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "image/reference/digest.h"

namespace berth::image {

struct BlobInfo {
  Digest digest;
  std::uint64_t size = 0;
};

/// What the writer of a blob claims about it. Empty or negative: no claim.
struct BlobClaim {
  std::string digest;
  std::int64_t size = -1;
};

class ContentStore {
 public:
  /// Blobs beyond this are refused: nothing that is kept as a blob comes near it.
  static constexpr std::uint64_t kMaxBlobBytes = 64ULL << 30;

  /// Opens or makes the store in `root`, which is made if absent, and removes what unfinished
  /// writers left. One store at a time: the caller holds the lock of the directory above.
  static Result<ContentStore> open(const std::string& root);

  /// Stores everything `source` has. kCorrupt if it is not what `claim` says, kExhausted if it is
  /// too large; nothing is left of it then.
  Result<BlobInfo> ingest(ByteSource& source, const BlobClaim& claim = {});
  Result<BlobInfo> put(std::string_view bytes);

  /// The blob, for reading. kNotFound if it is not here.
  Result<UniqueFd> open_blob(const Digest& digest) const;
  /// A small blob whole. kExhausted beyond `max_bytes`; kCorrupt if the bytes no longer match the
  /// digest.
  Result<std::string> read(const Digest& digest, std::size_t max_bytes) const;
  Result<BlobInfo> stat(const Digest& digest) const;
  /// kNotFound if it is not here.
  Result<void> remove(const Digest& digest);
  Result<std::vector<BlobInfo>> list() const;

 private:
  ContentStore(UniqueFd ingest, UniqueFd blobs)
      : ingest_(std::move(ingest)), blobs_(std::move(blobs)) {}

  UniqueFd ingest_;  // <root>/ingest: unfinished blobs
  UniqueFd blobs_;   // <root>/blobs/sha256
};

}  // namespace berth::image
