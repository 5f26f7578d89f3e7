#include "berth-runtime/signals.h"

#include <ctype.h>
#include <signal.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

namespace berth::runtime {
namespace {

struct Alias {
  std::string_view name;
  int number;
};
// Second names, of which libc knows only the first.
constexpr auto kAliases = std::to_array<Alias>({{"IO", SIGIO}, {"IOT", SIGIOT}, {"CLD", SIGCLD}});

std::optional<int> parse_number(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// "RTMIN", "RTMIN+1", "RTMAX-3", counted from what programs see: libc keeps the first two.
std::optional<int> parse_realtime(std::string_view name) {
  constexpr std::size_t kBase = sizeof "RTMIN" - 1;
  const bool from_low = name.starts_with("RTMIN");
  if (!from_low && !name.starts_with("RTMAX")) return std::nullopt;
  int offset = 0;
  if (name.size() > kBase) {
    const auto given = parse_number(name.substr(kBase + 1));
    if (name[kBase] != (from_low ? '+' : '-') || !given) return std::nullopt;
    offset = *given;
  }
  if (offset < 0 || offset > SIGRTMAX - SIGRTMIN) return std::nullopt;
  return from_low ? SIGRTMIN + offset : SIGRTMAX - offset;
}

std::optional<int> parse_name(std::string_view name) {
  if (const auto realtime = parse_realtime(name)) return realtime;
  for (const Alias& alias : kAliases)
    if (alias.name == name) return alias.number;
  for (int i = 1; i < NSIG; ++i)
    if (const char* known = ::sigabbrev_np(i); known && name == known) return i;
  return std::nullopt;
}

}  // namespace

Result<int> parse_signal(const std::string& text) {
  if (const auto number = parse_number(text); number && *number >= 0 && *number < NSIG)
    return *number;
  std::string name = text;
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(::toupper(c)); });
  if (name.starts_with("SIG")) name.erase(0, 3);
  if (const auto number = parse_name(name)) return *number;
  return fail(ErrorKind::kInvalid, "unknown signal \"{}\"", text);
}

}  // namespace berth::runtime
