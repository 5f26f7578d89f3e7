// Any bytes as the field WWW-Authenticate. Names come out in lower case, schemes not empty.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "image/registry/auth_challenge.h"
#include "image/registry/credentials.h"

namespace {

bool is_lower(const std::string& text) {
  return std::ranges::none_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto& challenge : berth::image::parse_challenges(text)) {
    if (challenge.scheme.empty() || !is_lower(challenge.scheme)) std::abort();
    for (const auto& [name, value] : challenge.parameters)
      if (name.empty() || !is_lower(name)) std::abort();
  }
  (void)berth::image::parse_registry_auth(text);
  return 0;
}
