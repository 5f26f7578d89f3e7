#include "container/cgroup/manager.h"

#include <linux/magic.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "container/cgroup/settings.h"
#include "container/cgroup/v1.h"
#include "container/cgroup/v2.h"
#include "sys/process.h"

namespace berth::container {
namespace {

constexpr std::string_view kDefaultParent = "berth";
// v1 controllers that count for stats or guard, whether or not a limit is asked for.
constexpr auto kAlwaysUsed =
    std::to_array<std::string_view>({"memory", "cpuacct", "pids", "devices"});

Result<std::unique_ptr<CgroupManager>> open_v1(const CgroupLayout& layout, const std::string& path,
                                               const Resources& resources) {
  const auto settings = TRY(settings_v1(resources));
  const auto wanted = [&](const std::string& controller) {
    return std::ranges::find(kAlwaysUsed, controller) != kAlwaysUsed.end() ||
           std::ranges::any_of(settings, [&](const auto& s) { return s.controller == controller; });
  };
  std::vector<Hierarchy> used;
  for (const Hierarchy& hierarchy : layout.hierarchies)
    if (std::ranges::any_of(hierarchy.controllers, wanted)) used.push_back(hierarchy);
  for (const CgroupSetting& setting : settings)
    if (!layout.find(setting.controller))
      return fail(ErrorKind::kUnsupported,
                  "this host has no '{}' cgroup controller, which {} needs", setting.controller,
                  setting.file);
  const Hierarchy* freezer = layout.find("freezer");
  return std::unique_ptr<CgroupManager>(
      std::make_unique<CgroupV1>(std::move(used), path, freezer ? freezer->path : std::string()));
}

}  // namespace

Result<void> CgroupManager::signal_all(int signal) {
  std::vector<pid_t> done;
  for (bool news = true; news;) {
    news = false;
    for (const pid_t pid : TRY(processes())) {
      if (std::ranges::find(done, pid) != done.end()) continue;
      done.push_back(pid);
      news = true;
      const auto pidfd = sys::open_pidfd(pid);
      if (!pidfd.ok()) continue;  // it has ended
      auto sent = sys::signal_process(pidfd->get(), signal);
      if (!sent.ok() && sent.error().kind() != ErrorKind::kNotFound) return sent;
    }
  }
  return {};
}

Result<std::unique_ptr<CgroupManager>> open_cgroups(const CgroupLayout& layout,
                                                    const std::string& path,
                                                    const Resources& resources) {
  if (layout.version == CgroupVersion::kV1) return open_v1(layout, path, resources);
  TRY(settings_v2(resources));
  return std::unique_ptr<CgroupManager>(
      std::make_unique<CgroupV2>(layout.hierarchies.front(), path));
}

Result<std::unique_ptr<CgroupManager>> adopt_cgroups(const std::vector<std::string>& paths) {
  struct statfs found = {};
  const bool v2 = paths.size() == 1 && ::statfs(paths[0].c_str(), &found) == 0 &&
                  found.f_type == CGROUP2_SUPER_MAGIC;
  return v2 ? CgroupV2::adopt(paths[0]) : CgroupV1::adopt(paths);
}

std::string cgroup_path_of(const std::string& cgroups_path, const std::string& id) {
  const auto first = cgroups_path.find_first_not_of('/');
  if (first == std::string::npos) return fmt::format("{}/{}", kDefaultParent, id);
  const auto last = cgroups_path.find_last_not_of('/');
  const std::string path = cgroups_path.substr(first, last + 1 - first);
  return first > 0 ? path : fmt::format("{}/{}", kDefaultParent, path);
}

void remove_empty_cgroups(const CgroupLayout& layout, const std::string& path) {
  for (const Hierarchy& hierarchy : layout.hierarchies) {
    const std::string directory = hierarchy.path + "/" + path;
    if (::rmdir(directory.c_str()) != 0) continue;
  }
}

}  // namespace berth::container
