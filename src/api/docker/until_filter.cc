#include "api/docker/until_filter.h"

#include <charconv>
#include <chrono>

#include "api/docker/wire/event.h"

namespace berth::docker {

Result<WallTime> parse_until(const std::string& text, WallTime at) {
  std::chrono::nanoseconds ago{0};
  std::string_view rest = text;
  while (!rest.empty()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    constexpr std::int64_t kLongest = 1'000'000;
    if (error != std::errc() || end == rest.data() + rest.size() || number < 0 || number > kLongest)
      break;
    if (*end == 'h') {
      ago += std::chrono::hours(number);
    } else if (*end == 'm') {
      ago += std::chrono::minutes(number);
    } else if (*end == 's') {
      ago += std::chrono::seconds(number);
    } else {
      break;
    }
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()) + 1);
  }
  if (rest.empty() && !text.empty()) return at - ago;
  const auto moment = TRY(parse_moment("until", text));
  if (!moment) return fail(ErrorKind::kInvalid, "invalid filter 'until={}'", text);
  return *moment;
}

}  // namespace berth::docker
