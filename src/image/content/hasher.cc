#include "image/content/hasher.h"

#include <fmt/format.h>

#include <array>
#include <iterator>
#include <string>

namespace berth::image {
namespace {

template <std::size_t size>
Digest digest_of(const std::array<std::uint8_t, size>& raw) {
  std::string hex;
  hex.reserve(2 * raw.size());
  for (const std::uint8_t byte : raw) fmt::format_to(std::back_inserter(hex), "{:02x}", byte);
  return Digest::of_hex(hex);
}

}  // namespace

Hasher::Hasher(const Digest& like) : Hasher() {
  if (like.algorithm() == "sha512") ::sha512_init(&context_.emplace<sha512_ctx>());
}

void Hasher::update(std::span<const std::byte> bytes) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  if (auto* longer = std::get_if<sha512_ctx>(&context_))
    ::sha512_update(longer, bytes.size(), data);
  else
    ::sha256_update(std::get_if<sha256_ctx>(&context_), bytes.size(), data);
}

Digest Hasher::finish() {
  if (auto* longer = std::get_if<sha512_ctx>(&context_)) {
    std::array<std::uint8_t, SHA512_DIGEST_SIZE> raw;
    ::sha512_digest(longer, raw.size(), raw.data());
    return digest_of(raw);
  }
  std::array<std::uint8_t, SHA256_DIGEST_SIZE> raw;
  ::sha256_digest(std::get_if<sha256_ctx>(&context_), raw.size(), raw.data());
  return digest_of(raw);
}

Digest sha256_of(std::string_view text) {
  Hasher hash;
  hash.update(std::as_bytes(std::span(text)));
  return hash.finish();
}

bool is_digest_of(const Digest& digest, std::string_view text) {
  Hasher hash(digest);
  hash.update(std::as_bytes(std::span(text)));
  return hash.finish() == digest;
}

Result<std::size_t> HashingSource::read(std::span<std::byte> into) {
  const std::size_t got = TRY(from_.read(into));
  hash_.update(into.first(got));
  count_ += got;
  return got;
}

}  // namespace berth::image
