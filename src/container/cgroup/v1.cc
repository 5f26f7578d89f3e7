#include "container/cgroup/v1.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "container/cgroup/device_rules.h"
#include "container/cgroup/freezer.h"
#include "container/cgroup/v1_paths.h"

namespace berth::container {
namespace {

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
  auto manager =
      std::make_unique<CgroupV1>(std::vector<Hierarchy>{}, std::string(), std::vector<Hierarchy>{});
  manager->paths_ = paths;
  for (const std::string& path : paths) {
    auto directory = CgroupDirectory::open(path);
    if (!directory.ok() && directory.error().kind() == ErrorKind::kNotFound) continue;
    manager->directories_.push_back(TRY(std::move(directory)));
  }
  const auto place = paths.empty() ? std::nullopt : v1_place_of(paths.front());
  if (!place) return std::unique_ptr<CgroupManager>(std::move(manager));
  manager->relative_ = place->relative;
  for (const std::string_view controller : kV1Controllers)
    if (std::ranges::none_of(paths, [&](const auto& p) { return is_of_controller(p, controller); }))
      manager->others_.push_back({std::string(controller),
                                  fmt::format("{}/{}", place->root, controller),
                                  {std::string(controller)},
                                  {}});
  manager->find_later_ones();
  return std::unique_ptr<CgroupManager>(std::move(manager));
}

Result<void> CgroupV1::create(pid_t init) {
  for (const Hierarchy& hierarchy : hierarchies_) {
    bool made = false;
    auto directory = CgroupDirectory::create(hierarchy.path, relative_, made);
    if (directory.ok() && !made) {
      const auto others = directory->has_others(init);
      if (others.ok() && *others)
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

const CgroupDirectory* CgroupV1::directory_of(std::string_view controller) const {
  for (std::size_t i = 0; i < hierarchies_.size() && i < directories_.size(); ++i)
    if (std::ranges::find(hierarchies_[i].controllers, controller) !=
        hierarchies_[i].controllers.end())
      return &directories_[i];
  const auto named = [&](const auto& d) { return is_of_controller(d.path(), controller); };
  const auto later = std::ranges::find_if(later_, named);
  if (later != later_.end()) return &*later;
  if (!hierarchies_.empty()) return nullptr;
  const auto it = std::ranges::find_if(directories_, named);
  return it == directories_.end() ? nullptr : &*it;
}

// Those that another manager of this container has made since.
void CgroupV1::find_later_ones() {
  for (const Hierarchy& hierarchy : others_) {
    const std::string path = hierarchy.path + "/" + relative_;
    if (std::ranges::any_of(later_, [&](const auto& d) { return d.path() == path; })) continue;
    if (auto directory = CgroupDirectory::open(path); directory.ok())
      later_.push_back(std::move(*directory));
  }
}

// The directory in a hierarchy that was not used so far, made if it is not there.
Result<const CgroupDirectory*> CgroupV1::join(std::string_view controller) {
  find_later_ones();
  if (const CgroupDirectory* known = directory_of(controller)) return known;
  const auto hierarchy = std::ranges::find_if(others_, [&](const Hierarchy& other) {
    return std::ranges::find(other.controllers, controller) != other.controllers.end();
  });
  if (hierarchy == others_.end() ||
      ::access((hierarchy->path + "/cgroup.procs").c_str(), F_OK) != 0)
    return fail(ErrorKind::kUnsupported, "this host has no '{}' cgroup controller", controller);
  bool made = false;
  later_.push_back(TRY(CgroupDirectory::create(hierarchy->path, relative_, made)));
  if (controller == "cpuset") TRY(fill_cpuset(later_.back()));
  return &later_.back();
}

// Processes may fork while they are being moved: looks again until nobody new turns up.
Result<void> CgroupV1::bring_in(const CgroupDirectory& directory) const {
  for (bool moved = true; moved;) {
    moved = false;
    const auto all = TRY(processes());
    const auto inside = TRY(directory.processes());
    for (const pid_t pid : all) {
      if (std::ranges::find(inside, pid) != inside.end()) continue;
      auto added = directory.write("cgroup.procs", fmt::format("{}", pid));
      if (!added.ok() && added.error().os_errno() != ESRCH) return std::move(added).error();
      moved = true;
    }
  }
  return {};
}

Result<void> CgroupV1::extend(const std::vector<std::string>& controllers) {
  for (const std::string& controller : controllers) {
    const CgroupDirectory* directory = TRY(join(controller));
    // Who is in those from the start, is in them still.
    const auto is_it = [&](const CgroupDirectory& other) { return &other == directory; };
    if (std::ranges::any_of(later_, is_it)) TRY(bring_in(*directory));
  }
  return {};
}

Result<void> CgroupV1::apply(const Resources& resources) {
  for (const CgroupSetting& setting : TRY(settings_v1(resources))) {
    const CgroupDirectory* directory = directory_of(setting.controller);
    if (!directory)
      return fail(ErrorKind::kUnsupported,
                  "this host has no '{}' cgroup controller, which {} needs", setting.controller,
                  setting.file);
    auto written = directory->write(present_name_of(*directory, setting.file), setting.value);
    if (!written.ok() && written.error().kind() == ErrorKind::kNotFound)
      return fail(ErrorKind::kUnsupported, "this kernel has no {}: it cannot limit that",
                  setting.file);
    TRY(std::move(written));
  }
  if (const CgroupDirectory* cpuset = directory_of("cpuset")) TRY(fill_cpuset(*cpuset));
  if (resources.devices.empty()) return {};
  const CgroupDirectory* devices = directory_of("devices");
  if (!devices)
    return fail(ErrorKind::kUnsupported, "this host has no 'devices' cgroup controller");
  return write_device_rules(*devices, resources.devices);
}

Result<std::vector<UniqueFd>> CgroupV1::entrances() const {
  std::vector<UniqueFd> opened;
  const auto open = [&](const CgroupDirectory& directory) -> Result<void> {
    UniqueFd tasks(::openat(directory.fd(), "tasks", O_WRONLY | O_CLOEXEC));
    // The hierarchy of v2 that a hybrid host has besides.
    if (!tasks.valid() && errno == ENOENT)
      tasks.reset(::openat(directory.fd(), "cgroup.procs", O_WRONLY | O_CLOEXEC));
    if (!tasks.valid()) return fail_errno("cannot open {}/tasks", directory.path());
    opened.push_back(std::move(tasks));
    return {};
  };
  for (const auto& directory : directories_) TRY(open(directory));
  for (const auto& directory : later_) TRY(open(directory));
  return opened;
}

Result<CgroupStats> CgroupV1::stats() const {
  CgroupStats stats;
  if (const auto* memory = directory_of("memory"))
    stats.memory_bytes = memory->read_number("memory.usage_in_bytes");
  if (const auto* cpu = directory_of("cpuacct"))
    stats.cpu_nanoseconds = cpu->read_number("cpuacct.usage");
  if (const auto* pids = directory_of("pids")) stats.pids = pids->read_number("pids.current");
  return stats;
}

Result<std::vector<pid_t>> CgroupV1::processes() const {
  if (directories_.empty()) return std::vector<pid_t>{};
  return directories_.front().processes();
}

Result<void> CgroupV1::freeze(bool frozen) {
  if (!frozen) {
    find_later_ones();
    const CgroupDirectory* freezer = directory_of("freezer");
    return freezer ? thaw_v1(*freezer) : Result<void>();
  }
  const CgroupDirectory* freezer = TRY(join("freezer"));
  TRY(bring_in(*freezer));
  TRY(freeze_v1(*freezer));
  // Whoever came into the container meanwhile stops on being moved.
  return bring_in(*freezer);
}

Result<void> CgroupV1::destroy() {
  if (!directories_.empty()) find_later_ones();
  // The common case: everybody is gone. Else kill, and wait; nobody dies frozen.
  if (!directories_.empty() && !directories_.front().remove().ok()) {
    (void)freeze(false);
    TRY(kill_all());
  }
  for (const auto& directory : directories_) TRY(directory.remove());
  // At their paths there may be what somebody else made, as nobody wrote down whose they are.
  for (const auto& directory : later_) (void)directory.remove();
  directories_.clear();
  later_.clear();
  return {};
}

}  // namespace berth::container
