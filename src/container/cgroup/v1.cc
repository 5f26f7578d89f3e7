#include "container/cgroup/v1.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "container/cgroup/device_rules.h"

namespace berth::container {
namespace {

constexpr auto kControllers =
    std::to_array<std::string_view>({"cpu", "cpuacct", "cpuset", "memory", "devices", "freezer",
                                     "blkio", "pids", "hugetlb", "net_cls", "net_prio", "rdma"});

// Whether `word` is one of the names in "cpu,cpuacct".
bool names(std::string_view component, std::string_view word) {
  while (!component.empty()) {
    const auto comma = std::min(component.find(','), component.size());
    if (component.substr(0, comma) == word) return true;
    component.remove_prefix(std::min(comma + 1, component.size()));
  }
  return false;
}

// Whether the hierarchy of the cgroup at `path` has the controller. The hierarchy's directory is
// the first that is named after controllers; below it a cgroup may have any name, a controller's
// too.
bool is_below(std::string_view path, std::string_view controller) {
  while (!path.empty()) {
    const auto slash = std::min(path.find('/'), path.size());
    const std::string_view component = path.substr(0, slash);
    if (std::ranges::any_of(kControllers, [&](auto known) { return names(component, known); }))
      return names(component, controller);
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return false;
}

// A v1 cpuset that inherited nothing takes what its parent has: cpusets(7).
Result<void> fill_cpuset(const CgroupDirectory& directory) {
  for (const char* file : {"cpuset.cpus", "cpuset.mems"}) {
    if (!TRY(directory.read(file)).empty()) continue;
    const auto parent =
        TRY(CgroupDirectory::open(directory.path().substr(0, directory.path().rfind('/'))));
    TRY(directory.write(file, TRY(parent.read(file))));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<CgroupManager>> CgroupV1::adopt(const std::vector<std::string>& paths) {
  auto manager = std::make_unique<CgroupV1>(std::vector<Hierarchy>{}, std::string(), std::string());
  manager->paths_ = paths;
  for (const std::string& path : paths) {
    auto directory = CgroupDirectory::open(path);
    if (!directory.ok() && directory.error().kind() == ErrorKind::kNotFound) continue;
    manager->directories_.push_back(TRY(std::move(directory)));
  }
  return std::unique_ptr<CgroupManager>(std::move(manager));
}

Result<void> CgroupV1::create() {
  for (const Hierarchy& hierarchy : hierarchies_) {
    bool made = false;
    auto directory = CgroupDirectory::create(hierarchy.path, relative_, made);
    if (directory.ok() && !made) {
      const auto pids = directory->processes();
      if (pids.ok() && !pids->empty())
        directory =
            fail(ErrorKind::kConflict, "the cgroup {} has processes in it", directory->path());
    }
    if (!directory.ok()) {
      for (const auto& earlier : directories_) (void)earlier.remove();
      directories_.clear();
      paths_.clear();
      return std::move(directory).error();
    }
    paths_.push_back(directory->path());
    directories_.push_back(std::move(*directory));
  }
  return {};
}

const CgroupDirectory* CgroupV1::find(std::string_view controller) const {
  for (std::size_t i = 0; i < hierarchies_.size() && i < directories_.size(); ++i)
    if (std::ranges::find(hierarchies_[i].controllers, controller) !=
        hierarchies_[i].controllers.end())
      return &directories_[i];
  if (!hierarchies_.empty()) return nullptr;
  const auto it = std::ranges::find_if(
      directories_, [&](const auto& d) { return is_below(d.path(), controller); });
  return it == directories_.end() ? nullptr : &*it;
}

Result<void> CgroupV1::apply(const Resources& resources) {
  for (const CgroupSetting& setting : TRY(settings_v1(resources))) {
    const CgroupDirectory* directory = find(setting.controller);
    if (!directory)
      return fail(ErrorKind::kUnsupported,
                  "this host has no '{}' cgroup controller, which {} needs", setting.controller,
                  setting.file);
    auto written = directory->write(setting.file, setting.value);
    if (!written.ok() && written.error().kind() == ErrorKind::kNotFound)
      return fail(ErrorKind::kUnsupported, "this kernel has no {}: it cannot limit that",
                  setting.file);
    TRY(std::move(written));
  }
  if (const CgroupDirectory* cpuset = find("cpuset")) TRY(fill_cpuset(*cpuset));
  if (resources.devices.empty()) return {};
  const CgroupDirectory* devices = find("devices");
  if (!devices)
    return fail(ErrorKind::kUnsupported, "this host has no 'devices' cgroup controller");
  return write_device_rules(*devices, resources.devices);
}

Result<std::vector<UniqueFd>> CgroupV1::entrances() const {
  std::vector<UniqueFd> opened;
  for (const auto& directory : directories_) {
    UniqueFd tasks(::openat(directory.fd(), "tasks", O_WRONLY | O_CLOEXEC));
    if (!tasks.valid()) return fail_errno("cannot open {}/tasks", directory.path());
    opened.push_back(std::move(tasks));
  }
  return opened;
}

Result<CgroupStats> CgroupV1::stats() const {
  CgroupStats stats;
  if (const auto* memory = find("memory"))
    stats.memory_bytes = memory->read_number("memory.usage_in_bytes");
  if (const auto* cpu = find("cpuacct")) stats.cpu_nanoseconds = cpu->read_number("cpuacct.usage");
  if (const auto* pids = find("pids")) stats.pids = pids->read_number("pids.current");
  return stats;
}

Result<std::vector<pid_t>> CgroupV1::processes() const {
  if (directories_.empty()) return std::vector<pid_t>{};
  return directories_.front().processes();
}

Result<void> CgroupV1::freeze(bool frozen) {
  const CgroupDirectory* freezer = find("freezer");
  if (!freezer) {
    if (!frozen) return {};
    if (freezer_root_.empty())
      return fail(ErrorKind::kUnsupported, "this host has no 'freezer' cgroup controller");
    bool made = false;
    directories_.push_back(TRY(CgroupDirectory::create(freezer_root_, relative_, made)));
    hierarchies_.push_back({"freezer", freezer_root_, {"freezer"}, {}});
    paths_.push_back(directories_.back().path());
    freezer = &directories_.back();
  }
  // Processes may fork while they are being moved: look again until nobody new turns up, then stop.
  for (std::vector<pid_t> inside; frozen;) {
    const auto all = TRY(processes());
    inside = TRY(freezer->processes());
    bool moved = false;
    for (const pid_t pid : all) {
      if (std::ranges::find(inside, pid) != inside.end()) continue;
      moved = true;
      auto added = freezer->write("cgroup.procs", fmt::format("{}", pid));
      if (!added.ok() && added.error().os_errno() != ESRCH) return std::move(added).error();
    }
    if (!moved) break;
  }
  return freezer->write("freezer.state", frozen ? "FROZEN" : "THAWED");
}

Result<void> CgroupV1::destroy() {
  if (directories_.empty()) return {};
  // The common case: everybody is gone. Else kill, and wait.
  if (directories_.front().remove().ok()) {
    for (std::size_t i = 1; i < directories_.size(); ++i) TRY(directories_[i].remove());
    directories_.clear();
    return {};
  }
  (void)freeze(false);
  TRY(kill_all());
  for (const auto& directory : directories_) TRY(directory.remove());
  directories_.clear();
  return {};
}

}  // namespace berth::container
