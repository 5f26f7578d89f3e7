#include "container/spec/number_list.h"

#include <charconv>
#include <climits>

namespace berth::container {
namespace {

constexpr unsigned kBits = sizeof(unsigned long) * CHAR_BIT;

std::optional<unsigned> take_number(std::string_view& text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number >= kMaxListed) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<std::vector<unsigned long>> parse_number_list(std::string_view text) {
  std::vector<unsigned long> mask;
  if (text.empty()) return mask;
  do {
    const auto first = take_number(text);
    if (!first) return std::nullopt;
    const auto last = take(text, '-') ? take_number(text) : first;
    if (!last || *last < *first) return std::nullopt;
    if (mask.size() <= *last / kBits) mask.resize(*last / kBits + 1);
    for (unsigned i = *first; i <= *last; ++i) mask[i / kBits] |= 1UL << i % kBits;
  } while (take(text, ','));
  if (!text.empty()) return std::nullopt;
  return mask;
}

}  // namespace berth::container
