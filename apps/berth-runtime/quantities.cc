#include "berth-runtime/quantities.h"

#include <ctype.h>

#include <array>
#include <charconv>
#include <limits>

namespace berth::runtime {
namespace {

// What both kinds are capped at: values beyond are no sizes, and no times.
constexpr double kLargest = 9.2e18;

// The number at the start of `text`, which is moved behind it.
std::optional<double> take_number(std::string_view& text) {
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || text.front() == '-') return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

// "", "b", "k", "kb", "kib"; upper case as well.
std::optional<double> factor_of_size(std::string_view unit) {
  constexpr std::string_view kPrefixes = "kmgtp";
  std::string lower;
  for (const char c : unit)
    lower.push_back(static_cast<char>(::tolower(static_cast<unsigned char>(c))));
  if (lower.empty() || lower == "b") return 1;
  const auto power = kPrefixes.find(lower[0]);
  const std::string_view rest = std::string_view(lower).substr(1);
  if (power == std::string_view::npos || (!rest.empty() && rest != "b" && rest != "ib"))
    return std::nullopt;
  double factor = 1;
  for (std::size_t i = 0; i <= power; ++i) factor *= 1024;
  return factor;
}

struct TimeUnit {
  std::string_view name;
  double nanoseconds;
};
// Those that another begins with come later.
constexpr auto kTimeUnits = std::to_array<TimeUnit>(
    {{"ns", 1}, {"us", 1e3}, {"µs", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 6e10}, {"h", 3.6e12}});

}  // namespace

std::optional<std::int64_t> parse_size(std::string_view text) {
  if (text == "-1") return -1;
  std::int64_t whole = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (error == std::errc() && end == text.data() + text.size() && whole >= 0) return whole;
  const auto number = text.empty() ? std::nullopt : take_number(text);
  if (!number) return std::nullopt;
  if (text.starts_with(' ')) text.remove_prefix(1);
  const auto factor = factor_of_size(text);
  if (!factor || *number * *factor > kLargest) return std::nullopt;
  return static_cast<std::int64_t>(*number * *factor);
}

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (text == "0") return std::chrono::nanoseconds(0);
  double total = 0;
  while (!text.empty()) {
    const auto number = take_number(text);
    if (!number) return std::nullopt;
    const auto* unit = kTimeUnits.begin();
    while (unit != kTimeUnits.end() && !text.starts_with(unit->name)) ++unit;
    if (unit == kTimeUnits.end()) return std::nullopt;
    text.remove_prefix(unit->name.size());
    total += *number * unit->nanoseconds;
  }
  if (total > kLargest) return std::nullopt;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(total));
}

}  // namespace berth::runtime
