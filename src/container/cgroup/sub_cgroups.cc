#include "container/cgroup/sub_cgroups.h"

#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "container/cgroup/v1_paths.h"
#include "container/spec/normal_path.h"

namespace berth::container {
namespace {

// The directory `path` below `cgroup`.
Result<std::string> sub_cgroup(const std::string& cgroup, std::string_view path) {
  if (fmt::format("/{}/", path).find("/../") != std::string::npos)
    return fail(ErrorKind::kInvalid, "the cgroup '{}' is not below the container's", path);
  const std::string below = normal_path("/" + std::string(path));
  if (below == "/") return cgroup;
  std::string directory = cgroup + below;
  if (::access(directory.c_str(), F_OK) != 0)
    return fail_errno("the container has no cgroup '{}'", directory);
  return directory;
}

}  // namespace

Result<std::vector<std::string>> sub_cgroups(std::vector<std::string> paths,
                                             std::span<const std::string> wanted) {
  const std::vector<std::string> whole = paths;
  for (const std::string& entry : wanted) {
    const auto colon = entry.find(':');
    std::string_view controllers =
        colon == std::string::npos ? "" : std::string_view(entry).substr(0, colon);
    const std::string_view path = std::string_view(entry).substr(colon + 1);
    if (colon == std::string::npos) {
      for (std::size_t i = 0; i < paths.size(); ++i) paths[i] = TRY(sub_cgroup(whole[i], path));
      continue;
    }
    while (!controllers.empty()) {
      const auto comma = std::min(controllers.find(','), controllers.size());
      const std::string_view name = controllers.substr(0, comma);
      controllers.remove_prefix(std::min(comma + 1, controllers.size()));
      const auto found = std::ranges::find_if(
          whole, [&](const std::string& cgroup) { return is_of_controller(cgroup, name); });
      if (found == whole.end())
        return fail(ErrorKind::kInvalid, "the container has no cgroup of the controller '{}'",
                    name);
      const auto at = static_cast<std::size_t>(found - whole.begin());
      paths[at] = TRY(sub_cgroup(whole[at], path));
    }
  }
  return paths;
}

}  // namespace berth::container
