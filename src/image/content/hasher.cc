#include "image/content/hasher.h"

#include <fmt/format.h>

#include <array>
#include <iterator>
#include <string>

namespace berth::image {
void Sha256::update(std::span<const std::byte> bytes) {
  ::sha256_update(&context_, bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()));
}

Digest Sha256::finish() {
  std::array<std::uint8_t, SHA256_DIGEST_SIZE> raw;
  ::sha256_digest(&context_, raw.size(), raw.data());
  std::string hex;
  hex.reserve(2 * raw.size());
  for (const std::uint8_t byte : raw) fmt::format_to(std::back_inserter(hex), "{:02x}", byte);
  return Digest::sha256(hex);
}

Digest Sha256::of(std::string_view text) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(text)));
  return hash.finish();
}

Result<std::size_t> HashingSource::read(std::span<std::byte> into) {
  const std::size_t got = TRY(from_.read(into));
  hash_.update(into.first(got));
  count_ += got;
  return got;
}

}  // namespace berth::image
