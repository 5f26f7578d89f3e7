// Sha256: the digest of a stream, made while it passes. Not thread-safe.
#pragma once

#include <nettle/sha2.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/byte_source.h"
#include "image/reference/digest.h"

namespace berth::image {

class Sha256 {
 public:
  Sha256() { ::sha256_init(&context_); }
  void update(std::span<const std::byte> bytes);
  /// The digest of all that was given; the object is spent.
  Digest finish();

  static Digest of(std::string_view text);

 private:
  sha256_ctx context_;
};

/// Passes another source's bytes on, hashes and counts them. Borrows the source.
class HashingSource final : public ByteSource {
 public:
  explicit HashingSource(ByteSource& from) : from_(from) {}
  Result<std::size_t> read(std::span<std::byte> into) override;

  std::uint64_t count() const { return count_; }
  /// The digest of what was read; call once, at the end.
  Digest finish() { return hash_.finish(); }

 private:
  ByteSource& from_;
  Sha256 hash_;
  std::uint64_t count_ = 0;
};

}  // namespace berth::image
