#include "berth/format/units.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <span>

namespace berth::cli {
namespace {

constexpr double kMaxInt64 = 9.2e18;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The decimal at the front of `text`, which loses it. Signs, exponents, "inf" and "nan" are no
// decimals.
std::optional<double> take_decimal(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && (is_digit(text[length]) || text[length] == '.')) ++length;
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + length, value, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + length) return std::nullopt;
  text.remove_prefix(length);
  return value;
}

std::string scale(double value, double base, std::span<const std::string_view> units, int digits) {
  std::size_t unit = 0;
  while (value >= base && unit + 1 < units.size()) {
    value /= base;
    ++unit;
  }
  return fmt::format("{:.{}g}{}", value, digits, units[unit]);
}

struct DurationUnit {
  std::string_view name;
  double nanoseconds;
};
// "ms" stands before "m": the first that fits is taken.
constexpr std::array<DurationUnit, 7> kDurationUnits = {
    {{"ns", 1}, {"us", 1e3}, {"µs", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}}};

}  // namespace

Result<std::int64_t> parse_bytes(std::string_view text) {
  constexpr std::string_view kPrefixes = "kmgtp";
  const auto bad = [&] { return fail(ErrorKind::kInvalid, "invalid size: '{}'", text); };
  std::string_view rest = text;
  const auto number = take_decimal(rest);
  if (!number) return bad();
  if (rest.starts_with(' ')) rest.remove_prefix(1);
  double factor = 1;
  if (!rest.empty()) {
    if (const auto power = kPrefixes.find(lower(rest[0])); power != std::string_view::npos) {
      factor = std::pow(1024.0, static_cast<double>(power + 1));
      rest.remove_prefix(1);
      if (!rest.empty() && lower(rest[0]) == 'i') rest.remove_prefix(1);
    }
    if (!rest.empty() && lower(rest[0]) == 'b') rest.remove_prefix(1);
  }
  if (!rest.empty() || *number * factor > kMaxInt64) return bad();
  return static_cast<std::int64_t>(*number * factor);
}

Result<std::int64_t> parse_nano_cpus(std::string_view text) {
  const auto point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  std::string_view fraction = point == std::string_view::npos ? "" : text.substr(point + 1);
  while (fraction.ends_with('0')) fraction.remove_suffix(1);
  const auto all_digits = [](std::string_view part) {
    for (const char c : part)
      if (!is_digit(c)) return false;
    return true;
  };
  if (text.empty() || text == "." || !all_digits(whole) || !all_digits(fraction) ||
      whole.size() > 9)
    return fail(ErrorKind::kInvalid, "'{}' is not a number of CPUs, such as 1.5", text);
  if (fraction.size() > 9) return fail(ErrorKind::kInvalid, "'{}' is too precise", text);
  std::string digits = std::string(whole) + std::string(fraction);
  digits.append(9 - fraction.size(), '0');
  std::int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

Result<std::int64_t> parse_duration(std::string_view text) {
  const auto bad = [&] {
    return fail(ErrorKind::kInvalid, "invalid duration '{}', expected such as 10s or 1h30m", text);
  };
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest == "0") return 0;
  if (rest.empty()) return bad();
  double total = 0;
  while (!rest.empty()) {
    const auto number = take_decimal(rest);
    if (!number) return bad();
    bool known = false;
    for (const DurationUnit& unit : kDurationUnits) {
      if (!rest.starts_with(unit.name)) continue;
      total += *number * unit.nanoseconds;
      rest.remove_prefix(unit.name.size());
      known = true;
      break;
    }
    if (!known || total > kMaxInt64) return bad();
  }
  return static_cast<std::int64_t>(std::llround(negative ? -total : total));
}

std::string human_size(double bytes, int digits) {
  constexpr std::array<std::string_view, 9> kUnits = {"B",  "kB", "MB", "GB", "TB",
                                                      "PB", "EB", "ZB", "YB"};
  return scale(bytes, 1000, kUnits, digits);
}

std::string human_binary_size(double bytes) {
  constexpr std::array<std::string_view, 9> kUnits = {"B",   "KiB", "MiB", "GiB", "TiB",
                                                      "PiB", "EiB", "ZiB", "YiB"};
  return scale(bytes, 1024, kUnits, 4);
}

std::string human_duration(std::int64_t seconds) {
  constexpr std::int64_t kHour = 60;  // all in minutes from here on
  constexpr std::int64_t kDay = 24;   // and in hours
  if (seconds < 1) return "Less than a second";
  if (seconds == 1) return "1 second";
  if (seconds < 60) return fmt::format("{} seconds", seconds);
  const std::int64_t minutes = seconds / 60;
  if (minutes == 1) return "About a minute";
  if (minutes < kHour) return fmt::format("{} minutes", minutes);
  const auto hours = static_cast<std::int64_t>(std::llround(static_cast<double>(seconds) / 3600.0));
  if (hours == 1) return "About an hour";
  if (hours < 2 * kDay) return fmt::format("{} hours", hours);
  if (hours < 2 * 7 * kDay) return fmt::format("{} days", hours / kDay);
  if (hours < 2 * 30 * kDay) return fmt::format("{} weeks", hours / kDay / 7);
  if (hours < 2 * 365 * kDay) return fmt::format("{} months", hours / kDay / 30);
  return fmt::format("{} years", hours / kDay / 365);
}

}  // namespace berth::cli
