// Any bytes as a manifest or an index: a document or an error, and what it leads to is named by
// digests.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "image/manifest/manifest.h"
#include "image/reference/digest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth::image;
  const auto parsed = parse_manifest({reinterpret_cast<const char*>(data), size});
  if (!parsed.ok()) return 0;
  if (const auto* index = std::get_if<Index>(&*parsed)) {
    const auto chosen = choose(*index, Platform::host());
    if (chosen.ok() && !Digest::parse(chosen->digest).ok()) std::abort();
    return 0;
  }
  for (const Descriptor& layer : std::get<Manifest>(*parsed).layers)
    if (!Digest::parse(layer.digest).ok()) std::abort();
  return 0;
}
