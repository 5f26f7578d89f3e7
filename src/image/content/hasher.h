// Hasher: the digest of a stream, made while it passes: by sha256, or by the algorithm of the
// digest that it is to be compared with. Not thread-safe.
#pragma once

#include <nettle/sha2.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "base/byte_source.h"
#include "image/reference/digest.h"

namespace berth::image {

class Hasher {
 public:
  Hasher() { ::sha256_init(&context_.emplace<sha256_ctx>()); }
  explicit Hasher(const Digest& like);
  void update(std::span<const std::byte> bytes);
  /// The digest of all that was given; the object is spent.
  Digest finish();

 private:
  std::variant<sha256_ctx, sha512_ctx> context_;
};

Digest sha256_of(std::string_view text);
/// Whether it is the digest of the text.
bool is_digest_of(const Digest& digest, std::string_view text);

/// Passes another source's bytes on, hashes and counts them. Borrows the source.
class HashingSource final : public ByteSource {
 public:
  explicit HashingSource(ByteSource& from, Hasher hash = {}) : from_(from), hash_(hash) {}
  Result<std::size_t> read(std::span<std::byte> into) override;

  std::uint64_t count() const { return count_; }
  /// The digest of what was read; call once, at the end.
  Digest finish() { return hash_.finish(); }

 private:
  ByteSource& from_;
  Hasher hash_;
  std::uint64_t count_ = 0;
};

}  // namespace berth::image
