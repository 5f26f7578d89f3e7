#include "container/cgroup/manager.h"

#include <linux/magic.h>
#include <signal.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>

#include "container/cgroup/ending.h"
#include "container/cgroup/settings.h"
#include "container/cgroup/v1.h"
#include "container/cgroup/v2.h"
#include "sys/process.h"

namespace berth::container {
namespace {

constexpr std::string_view kDefaultParent = "berth";
// Descriptors held at one time; a process may have 1024.
constexpr std::size_t kOpenAtOnce = 256;
// v1 controllers that count for stats or guard, whether or not a limit is asked for.
constexpr auto kAlwaysUsed =
    std::to_array<std::string_view>({"memory", "cpuacct", "pids", "devices"});

Result<std::unique_ptr<CgroupManager>> open_v1(const CgroupLayout& layout, const std::string& path,
                                               const Resources& resources,
                                               const std::vector<Hierarchy>& besides) {
  const auto settings = TRY(settings_v1(resources));
  const auto wanted = [&](const std::string& controller) {
    return std::ranges::find(kAlwaysUsed, controller) != kAlwaysUsed.end() ||
           std::ranges::any_of(settings, [&](const auto& s) { return s.controller == controller; });
  };
  std::vector<Hierarchy> used, others;
  for (const Hierarchy& hierarchy : layout.hierarchies)
    (std::ranges::any_of(hierarchy.controllers, wanted) ? used : others).push_back(hierarchy);
  for (const CgroupSetting& setting : settings)
    if (!layout.find(setting.controller))
      return fail(ErrorKind::kUnsupported,
                  "this host has no '{}' cgroup controller, which {} needs", setting.controller,
                  setting.file);
  used.insert(used.end(), besides.begin(), besides.end());
  return std::unique_ptr<CgroupManager>(
      std::make_unique<CgroupV1>(std::move(used), path, std::move(others)));
}

}  // namespace

const CgroupDirectory* CgroupManager::directory_of(std::string_view) const {
  return nullptr;
}

Result<void> CgroupManager::extend(const std::vector<std::string>&) {
  return fail(ErrorKind::kUnsupported, "these cgroups cannot be extended");
}

// A pid may have come to mean a process outside between the look at the cgroup and the opening:
// those that a second look still shows are the cgroup's, and a descriptor stays with its process.
Result<std::vector<UniqueFd>> CgroupManager::open_members(std::span<const pid_t> pids) const {
  std::vector<std::pair<pid_t, UniqueFd>> opened;
  for (const pid_t pid : pids)
    if (auto pidfd = sys::open_pidfd(pid); pidfd.ok()) opened.emplace_back(pid, std::move(*pidfd));
  std::vector<pid_t> inside = TRY(processes());
  std::ranges::sort(inside);
  std::vector<UniqueFd> members;
  for (auto& [pid, pidfd] : opened)
    if (std::ranges::binary_search(inside, pid)) members.push_back(std::move(pidfd));
  return members;
}

Result<void> CgroupManager::signal_all(int signal) {
  std::set<pid_t> done;
  for (;;) {
    std::vector<pid_t> fresh;
    for (const pid_t pid : TRY(processes()))
      if (fresh.size() < kOpenAtOnce && done.insert(pid).second) fresh.push_back(pid);
    if (fresh.empty()) return {};
    for (const UniqueFd& member : TRY(open_members(fresh))) {
      auto sent = sys::signal_process(member.get(), signal);
      if (!sent.ok() && sent.error().kind() != ErrorKind::kNotFound) return sent;
    }
  }
}

Result<void> CgroupManager::kill_all() {
  const Deadline deadline = kill_deadline();
  for (;;) {
    TRY(signal_all(SIGKILL));
    std::vector<pid_t> pids = TRY(processes());
    if (pids.empty()) return {};
    if (pids.size() > kOpenAtOnce) pids.resize(kOpenAtOnce);
    for (const UniqueFd& member : TRY(open_members(pids)))
      TRY(wait_until_ended(member.get(), deadline));
    // What is left may be zombies that are not reaped yet, which a pidfd says have ended.
    if (milliseconds_left(deadline) == 0)
      return fail(ErrorKind::kConflict,
                  "{} processes in {} have not ended within {} s of being killed", pids.size(),
                  paths().front(), kKillDeadline.count());
  }
}

Result<std::unique_ptr<CgroupManager>> open_cgroups(const CgroupLayout& layout,
                                                    const std::string& path,
                                                    const Resources& resources,
                                                    const std::vector<Hierarchy>& besides) {
  if (layout.version == CgroupVersion::kV1) return open_v1(layout, path, resources, besides);
  std::vector<std::string> needed;
  for (CgroupSetting& setting : TRY(settings_v2(resources)))
    needed.push_back(std::move(setting.controller));
  return std::unique_ptr<CgroupManager>(
      std::make_unique<CgroupV2>(layout.hierarchies.front(), path, std::move(needed)));
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
