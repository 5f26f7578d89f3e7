#include "container/checkpoint/cgroup_roots.h"

#include <algorithm>

#include "sys/file.h"

namespace berth::container {

std::vector<CriuCgroupRoot> parse_cgroup_roots(std::string_view text) {
  std::vector<CriuCgroupRoot> roots;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    at = end + 1;
    const auto first = line.find(':');
    const auto second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string path(line.substr(second + 1));
    for (std::size_t name = 0; name <= controllers.size();) {
      const auto comma = std::min(controllers.find(',', name), controllers.size());
      roots.push_back({std::string(controllers.substr(name, comma - name)), path});
      name = comma + 1;
    }
  }
  return roots;
}

Result<std::vector<CriuCgroupRoot>> cgroup_roots_of(pid_t pid) {
  return parse_cgroup_roots(TRY(sys::read_file(fmt::format("/proc/{}/cgroup", pid))));
}

}  // namespace berth::container
