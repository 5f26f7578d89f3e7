#include "container/cgroup/v1_paths.h"

#include <algorithm>

namespace berth::container {
namespace {

// Whether `word` is one of the names in "cpu,cpuacct".
bool names(std::string_view component, std::string_view word) {
  while (!component.empty()) {
    const auto comma = std::min(component.find(','), component.size());
    if (component.substr(0, comma) == word) return true;
    component.remove_prefix(std::min(comma + 1, component.size()));
  }
  return false;
}

struct Component {
  std::size_t at;
  std::string_view name;  // empty: there is none
};

// The directory that a hierarchy is mounted at.
Component hierarchy_of(std::string_view path) {
  for (std::size_t at = 0; at < path.size();) {
    const auto slash = std::min(path.find('/', at), path.size());
    const std::string_view name = path.substr(at, slash - at);
    if (std::ranges::any_of(kV1Controllers, [&](auto known) { return names(name, known); }))
      return {at, name};
    at = slash + 1;
  }
  return {path.size(), {}};
}

}  // namespace

bool is_of_controller(std::string_view path, std::string_view controller) {
  return names(hierarchy_of(path).name, controller);
}

std::optional<V1Place> v1_place_of(std::string_view path) {
  const Component hierarchy = hierarchy_of(path);
  const auto below = hierarchy.at + hierarchy.name.size() + 1;
  if (hierarchy.name.empty() || hierarchy.at == 0 || below >= path.size()) return std::nullopt;
  return V1Place{std::string(path.substr(0, hierarchy.at - 1)), std::string(path.substr(below))};
}

}  // namespace berth::container
