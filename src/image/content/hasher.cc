#include "image/content/hasher.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <cstdlib>

namespace berth::image {
namespace {

/// libcrypto fails here only when memory is gone or it was built without SHA-256: nothing a caller
/// could do better.
void require(bool worked) {
  if (!worked) std::abort();
}

}  // namespace

void Sha256::Free::operator()(EVP_MD_CTX* context) const {
  EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  require(context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void Sha256::update(std::span<const std::byte> bytes) {
  require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

Digest Sha256::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
  unsigned int size = 0;
  require(EVP_DigestFinal_ex(context_.get(), raw.data(), &size) == 1);
  std::string hex;
  hex.reserve(2U * size);
  for (unsigned int i = 0; i < size; ++i) fmt::format_to(std::back_inserter(hex), "{:02x}", raw[i]);
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
