#include "berth/format/moment.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include "berth/format/units.h"

namespace berth::cli {
namespace {

constexpr std::int64_t kNanosecond = 1'000'000'000;

std::string seconds_and_fraction(std::int64_t nanoseconds) {
  std::int64_t seconds = nanoseconds / kNanosecond;
  std::int64_t fraction = nanoseconds % kNanosecond;
  if (fraction < 0) {
    fraction += kNanosecond;
    --seconds;
  }
  return fmt::format("{}.{:09}", seconds, fraction);
}

// "1136073600" or "1136073600.000000001": goes to the engine as it is.
bool is_epoch(std::string_view text) {
  const auto point = text.find('.');
  const auto digits = [](std::string_view part) {
    return !part.empty() && part.size() <= 18 &&
           std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
  };
  return digits(text.substr(0, point)) &&
         (point == std::string_view::npos || digits(text.substr(point + 1)));
}

// A date, or a date and time, that names no zone: local time.
Result<std::int64_t> parse_local(const std::string& text) {
  constexpr std::array kLayouts = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H",
                                   "%Y-%m-%d"};
  for (const char* layout : kLayouts) {
    std::tm parts{};
    parts.tm_isdst = -1;
    const char* rest = ::strptime(text.c_str(), layout, &parts);
    if (!rest) continue;
    std::int64_t fraction = 0;
    if (*rest == '.') {
      const std::string_view digits = rest + 1;
      const auto [end, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), fraction);
      if (error != std::errc() || *end != '\0' || digits.size() > 9 || fraction < 0) continue;
      for (auto i = digits.size(); i < 9; ++i) fraction *= 10;
    } else if (*rest != '\0') {
      continue;
    }
    return static_cast<std::int64_t>(::mktime(&parts)) * kNanosecond + fraction;
  }
  return fail(ErrorKind::kInvalid,
              "'{}' is not a time such as 2006-01-02T15:04:05Z, 1136214245 or 42m", text);
}

std::tm local_parts(std::int64_t unix_seconds) {
  const auto time = static_cast<std::time_t>(unix_seconds);
  std::tm parts{};
  ::localtime_r(&time, &parts);
  return parts;
}

std::string rfc3339(std::int64_t unix_seconds, std::string_view fraction) {
  const std::tm parts = local_parts(unix_seconds);
  std::array<char, 64> text{};
  const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  const long offset = parts.tm_gmtoff / 60;
  const std::string zone = offset == 0 ? "Z"
                                       : fmt::format("{}{:02}:{:02}", offset < 0 ? '-' : '+',
                                                     std::abs(offset) / 60, std::abs(offset) % 60);
  return fmt::format("{}{}{}", std::string_view(text.data(), length), fraction, zone);
}

}  // namespace

Result<std::string> query_moment(std::string_view text, WallTime now) {
  if (is_epoch(text)) return std::string(text);
  if (const auto length = parse_duration(text); length.ok())
    return seconds_and_fraction(now.time_since_epoch().count() - *length);
  if (const auto moment = parse_rfc3339(text); moment.ok())
    return seconds_and_fraction(moment->time_since_epoch().count());
  return seconds_and_fraction(TRY(parse_local(std::string(text))));
}

std::string local_moment(std::int64_t unix_seconds) {
  const std::tm parts = local_parts(unix_seconds);
  std::array<char, 64> text{};
  const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S %z %Z", &parts);
  return {text.data(), length};
}

std::string local_rfc3339(std::int64_t unix_nanoseconds) {
  return rfc3339(unix_nanoseconds / kNanosecond,
                 fmt::format(".{:09}", unix_nanoseconds % kNanosecond));
}

std::string local_rfc3339_seconds(std::int64_t unix_seconds) {
  return rfc3339(unix_seconds, "");
}

}  // namespace berth::cli
