// Any bytes as an image's config: a value or an error, and what was accepted can be written and
// read again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "image/store/image_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = berth::image::parse_image_config(text);
  if (!parsed.ok()) return 0;
  if (berth::image::chain_ids(parsed->diff_ids).size() > berth::image::kMaxLayers) std::abort();
  const auto again = berth::image::parse_image_config(berth::image::make_image_config(*parsed));
  if (!again.ok() || again->diff_ids != parsed->diff_ids) std::abort();
  return 0;
}
