// ContentStore: blobs by digest, in blobs/<algorithm>/<hex> below one directory: manifests, configs
// and layers, byte for byte as they came, for that is what a push gives away. A blob is there whole
// and verified, or not at all: it is written to a temporary file, hashed on the way, fsynced and
// renamed. Thread-safe; two writers of one blob are harmless, for both write the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_source.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "image/content/hasher.h"
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
  class Writer;

  /// Blobs beyond this are refused: no layer comes near it.
  static constexpr std::uint64_t kMaxBlobBytes = 64ULL << 30;

  /// Opens or makes the store in `root`, which is made if absent, and removes what unfinished
  /// writers left. One store at a time: the caller holds the lock of the directory above.
  static Result<ContentStore> open(const std::string& root);

  /// Stores everything `source` has. kCorrupt if it is not what `claim` says, kExhausted if it is
  /// too large; nothing is left of it then.
  Result<BlobInfo> ingest(ByteSource& source, const BlobClaim& claim = {});
  /// `like`: by whose algorithm the blob is named.
  Result<BlobInfo> put(std::string_view bytes);
  Result<BlobInfo> put(std::string_view bytes, const Digest& like);

  /// Takes in the file `name` in `directory`, which is known to be `digest` and will not be changed
  /// any more, by a second link to it. On disk for good after the next sync().
  Result<void> adopt(int directory, const std::string& name, const Digest& digest);
  /// All that was adopted is on disk.
  Result<void> sync() const;

  /// The blob, for reading. kNotFound if it is not here.
  Result<UniqueFd> open_blob(const Digest& digest) const;
  /// A small blob whole. kExhausted beyond `max_bytes`; kCorrupt if the bytes no longer match the
  /// digest.
  Result<std::string> read(const Digest& digest, std::size_t max_bytes) const;
  Result<BlobInfo> stat(const Digest& digest) const;
  /// kNotFound if it is not here.
  Result<void> remove(const Digest& digest);
  Result<std::vector<BlobInfo>> list() const;

  /// Reads the whole blob. kCorrupt: it is not what its digest says.
  Result<void> verify(const Digest& digest) const;
  /// Moves the blob out of the store into `directory`, for good, and returns its name there.
  Result<std::string> quarantine(const Digest& digest, int directory);
  /// Names in `ingest` below the root: blobs that are being written, and what cut writers left.
  Result<std::vector<std::string>> unfinished() const;
  Result<void> remove_unfinished(const std::string& name);

 private:
  ContentStore(UniqueFd ingest, UniqueFd sha256, UniqueFd sha512)
      : ingest_(std::move(ingest)), sha256_(std::move(sha256)), sha512_(std::move(sha512)) {}
  int directory_of(const Digest& digest) const;

  UniqueFd ingest_;  // <root>/ingest: unfinished blobs
  UniqueFd sha256_;  // <root>/blobs/sha256
  UniqueFd sha512_;  // <root>/blobs/sha512
};

/// A blob in the making, by somebody who has its bytes to give. Left unfinished, nothing stays.
class ContentStore::Writer {
 public:
  /// Borrows `store`.
  static Result<Writer> create(ContentStore& store, const Hasher& hash = {});
  Writer(Writer&& other) noexcept;
  Writer& operator=(Writer&&) = delete;
  ~Writer();

  /// kExhausted: it is too large by now.
  Result<void> write(std::span<const std::byte> bytes);
  /// Puts the blob in its place; call once, at the end. kCorrupt if it is not what `claim` says.
  /// `announce` is told which it will be before it is there, where garbage may be collected.
  Result<BlobInfo> finish(const BlobClaim& claim = {},
                          const std::function<void(const Digest&)>& announce = {});

 private:
  Writer(ContentStore& store, std::string name, UniqueFd file, const Hasher& hash);

  ContentStore& store_;
  std::string name_;  // in ingest_; empty: it is there no more
  UniqueFd file_;
  Hasher hash_;
  std::uint64_t size_ = 0;
};

}  // namespace berth::image
