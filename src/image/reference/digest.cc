#include "image/reference/digest.h"

#include <algorithm>
#include <array>

namespace berth::image {
namespace {

struct Algorithm {
  std::string_view prefix;
  std::size_t digits;
};
constexpr auto kAlgorithms = std::to_array<Algorithm>({{"sha256:", 64}, {"sha512:", 128}});

}  // namespace

bool is_lower_hex(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<Digest> Digest::parse(std::string_view text) {
  for (const auto& algorithm : kAlgorithms) {
    if (!text.starts_with(algorithm.prefix)) continue;
    const auto hex = text.substr(algorithm.prefix.size());
    if (hex.size() == algorithm.digits && is_lower_hex(hex)) return Digest(std::string(text));
  }
  return fail(ErrorKind::kInvalid, "'{}' is not a sha256 or sha512 digest", text.substr(0, 160));
}

Digest Digest::of_hex(std::string_view hex) {
  const auto& algorithm = kAlgorithms[hex.size() == kAlgorithms[0].digits ? 0 : 1];
  return Digest(fmt::format("{}{}", algorithm.prefix, hex));
}

}  // namespace berth::image
