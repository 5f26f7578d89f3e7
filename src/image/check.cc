#include "image/check.h"

#include <algorithm>
#include <array>

namespace berth::image {

std::string_view to_string(DamageKind kind) {
  constexpr auto kNames = std::to_array<std::string_view>(
      {"damaged database", "bad row", "bad blob", "missing blob", "missing tree", "missing parent",
       "stray tree", "half-made snapshot", "broken image", "leftover"});
  return kNames[static_cast<std::size_t>(kind)];
}

bool CheckReport::well() const {
  return std::ranges::all_of(damages, &Damage::repaired);
}

}  // namespace berth::image
