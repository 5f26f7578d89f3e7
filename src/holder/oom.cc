#include "holder/oom.h"

#include <algorithm>
#include <charconv>

#include "sys/file.h"

namespace berth::holder {
namespace {

constexpr std::string_view kFiles[] = {"memory.events", "memory.oom_control"};

}  // namespace

unsigned long long keyed_value(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != ' ') continue;
    unsigned long long value = 0;
    const char* begin = line.data() + key.size() + 1;
    return std::from_chars(begin, line.data() + line.size(), value).ec == std::errc() ? value : 0;
  }
  return 0;
}

bool was_oom_killed(const std::vector<std::string>& cgroups) {
  return std::ranges::any_of(cgroups, [](const std::string& directory) {
    return std::ranges::any_of(kFiles, [&](std::string_view file) {
      const auto text = sys::read_file(fmt::format("{}/{}", directory, file));
      return text.ok() && keyed_value(*text, "oom_kill") > 0;
    });
  });
}

}  // namespace berth::holder
