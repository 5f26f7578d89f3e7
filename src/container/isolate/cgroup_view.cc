#include "container/isolate/cgroup_view.h"

namespace berth::container {
namespace {

sys::MountSpec file_system(const CgroupView& view, const Hierarchy& hierarchy,
                           std::vector<std::string> options) {
  if (!view.own_namespace) {
    options.emplace_back("bind");
    return {"bind", hierarchy.path + "/" + view.relative, std::move(options)};
  }
  if (view.version == CgroupVersion::kV2) return {"cgroup2", "cgroup", std::move(options)};
  options.insert(options.end(), hierarchy.controllers.begin(), hierarchy.controllers.end());
  return {"cgroup", "cgroup", std::move(options)};
}

}  // namespace

Result<std::vector<MountPlan>> plan_cgroup_view(const Mount& mount, const std::string& noun,
                                                const CgroupView& view) {
  std::vector<MountPlan> plans;
  if (view.version == CgroupVersion::kV2) {
    plans.push_back(TRY(plan_plain_mount(file_system(view, view.hierarchies.front(), mount.options),
                                         mount.destination, noun, {})));
    return plans;
  }
  std::vector<std::string> base_options = mount.options;
  base_options.insert(base_options.end(), {"mode=755", "size=64k"});
  MountPlan base =
      TRY(plan_plain_mount({"tmpfs", "tmpfs", base_options}, mount.destination, noun, {}));
  std::vector<Hierarchy> shown(view.hierarchies.begin(), view.hierarchies.end());
  // The hierarchy of v2 that a hybrid host has besides.
  std::erase_if(shown, [](const Hierarchy& hierarchy) { return hierarchy.controllers.empty(); });
  for (const Hierarchy& hierarchy : shown) {
    base.directories.push_back(hierarchy.name);
    for (const std::string& link : hierarchy.links) base.links.push_back({link, hierarchy.name});
  }
  plans.push_back(std::move(base));
  for (const Hierarchy& hierarchy : shown)
    plans.push_back(TRY(plan_plain_mount(file_system(view, hierarchy, mount.options),
                                         mount.destination + "/" + hierarchy.name, noun, {})));
  return plans;
}

}  // namespace berth::container
