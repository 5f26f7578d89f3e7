#include "container/systemd/cgroups.h"

#include <linux/magic.h>
#include <sys/statfs.h>

#include <algorithm>
#include <charconv>

#include "container/systemd/annotations.h"
#include "sys/process.h"

namespace berth::container {
namespace {

// The hierarchies by which systemd knows on a v1 host which processes are whose: its own, and on a
// hybrid one that of v2.
std::vector<Hierarchy> tracking_hierarchies() {
  std::vector<Hierarchy> found;
  struct statfs file_system = {};
  constexpr const char* kOwn = "/sys/fs/cgroup/systemd";
  constexpr const char* kUnified = "/sys/fs/cgroup/unified";
  if (::statfs(kOwn, &file_system) == 0 && file_system.f_type == CGROUP_SUPER_MAGIC)
    found.push_back({"systemd", kOwn, {"name=systemd"}, {}});
  if (::statfs(kUnified, &file_system) == 0 && file_system.f_type == CGROUP2_SUPER_MAGIC)
    found.push_back({"unified", kUnified, {}, {}});
  return found;
}

// Half of a v1 quota, completed from the file of the other half.
template <typename T>
void complete(const CgroupDirectory* cpu, const char* file, std::optional<T>& value) {
  if (!cpu || value.value_or(0) != 0) return;
  const auto text = cpu->read(file);
  T number = 0;
  if (text.ok() &&
      std::from_chars(text->data(), text->data() + text->size(), number).ec == std::errc())
    value = number;
}

// What follows the unit's own directory in the path of a cgroup: "", "/below".
std::string below_unit(const std::string& path, const std::string& unit) {
  const std::string directory = "/" + directory_of_unit(unit);
  for (auto at = path.find(directory); at != std::string::npos; at = path.find(directory, at + 1)) {
    const auto end = at + directory.size();
    if (end == path.size() || path[end] == '/') return path.substr(end);
  }
  return {};
}

}  // namespace

Result<std::vector<UnitProperty>> SystemdCgroups::limits(const Resources& resources,
                                                         int systemd_version) const {
  const auto settings =
      TRY(version() == CgroupVersion::kV1 ? settings_v1(resources) : settings_v2(resources));
  return limit_properties(version(), settings, systemd_version);
}

Result<std::vector<UnitProperty>> SystemdCgroups::properties(int systemd_version,
                                                             pid_t init) const {
  const Unit& unit = plan_.unit;
  std::vector<UnitProperty> list = {{"Description", plan_.description}};
  if (unit.is_slice()) {
    // A slice is in the one that its name says.
    list.push_back({"Wants", std::vector<std::string>{unit.slice}});
  } else {
    list.push_back({"Slice", unit.slice});
    list.push_back({"Delegate", true});
    list.push_back({"PIDs", std::vector<std::uint32_t>{static_cast<std::uint32_t>(init)}});
  }
  const bool is_v1 = version() == CgroupVersion::kV1;
  for (const char* accounting : {"MemoryAccounting", "CPUAccounting", "TasksAccounting",
                                 is_v1 ? "BlockIOAccounting" : "IOAccounting"})
    list.push_back({accounting, true});
  list.push_back({"DefaultDependencies", false});
  std::ranges::move(TRY(limits(as_kept(plan_.limits), systemd_version)), std::back_inserter(list));
  if (!plan_.limits.devices.empty())
    std::ranges::move(device_properties(plan_.limits.devices, systemd_version),
                      std::back_inserter(list));
  std::ranges::copy(plan_.annotated, std::back_inserter(list));
  return list;
}

Result<void> SystemdCgroups::create(pid_t init) {
  UnitManager systemd = TRY(UnitManager::connect());
  const auto wanted = TRY(properties(TRY(systemd.version()), init));
  auto started = systemd.start(plan_.unit.name, wanted);
  // One that was there before is another's.
  may_be_there_ = started.ok() || started.error().kind() != ErrorKind::kConflict;
  TRY(std::move(started));
  return take_in(init);
}

// On v1 init enters by itself.
Result<void> SystemdCgroups::take_in(pid_t init) {
  TRY(inner_->create(init));
  if (version() == CgroupVersion::kV1) return {};
  const CgroupDirectory* directory = inner_->directory_of({});
  if (plan_.unit.is_slice()) return directory->write("cgroup.procs", fmt::format("{}", init));
  const std::vector<pid_t> inside = TRY(processes());
  if (std::ranges::find(inside, init) != inside.end()) return {};
  return fail(ErrorKind::kInternal, "systemd has started {}, but its process is not in {}",
              plan_.unit.name, directory->path());
}

Result<void> SystemdCgroups::apply(const Resources& resources) {
  return inner_->apply(as_kept(resources));
}

// A user may not move a process from where it is to where it should be, and systemd may.
int SystemdCgroups::clone_directory() const {
  return sys::is_host_root() ? inner_->clone_directory() : -1;
}

Result<void> SystemdCgroups::admit(pid_t pid) {
  if (sys::is_host_root()) return {};
  UnitManager systemd = TRY(UnitManager::connect());
  return systemd.attach(plan_.unit.name, below_unit(paths().front(), plan_.unit.name),
                        static_cast<std::uint32_t>(pid));
}

Resources SystemdCgroups::as_kept(Resources resources) const {
  CpuResources& cpu = resources.cpu;
  if (version() == CgroupVersion::kV1 && (cpu.quota || cpu.period)) {
    complete(directory_of("cpu"), "cpu.cfs_quota_us", cpu.quota);
    complete(directory_of("cpu"), "cpu.cfs_period_us", cpu.period);
  }
  return with_whole_quota(std::move(resources));
}

// systemd takes a scope away as soon as it is empty.
Result<std::vector<pid_t>> SystemdCgroups::processes() const {
  auto inside = inner_->processes();
  if (!inside.ok() && inside.error().kind() == ErrorKind::kNotFound) return std::vector<pid_t>();
  return inside;
}

Result<void> SystemdCgroups::announce(const Resources& resources) {
  UnitManager systemd = TRY(UnitManager::connect());
  const auto changed = TRY(limits(resources, TRY(systemd.version())));
  if (changed.empty()) return {};
  return systemd.set_properties(plan_.unit.name, changed);
}

// systemd would ask the processes to end first, and give them a minute and a half. If it cannot be
// reached, the cgroups go all the same.
Result<void> SystemdCgroups::destroy() {
  if (!may_be_there_) return inner_->destroy();
  if (!TRY(processes()).empty()) {
    if (version() == CgroupVersion::kV1) (void)freeze(false);  // nobody dies frozen
    TRY(kill_all());
  }
  auto stopped = [&]() -> Result<void> {
    return TRY(UnitManager::connect()).stop(plan_.unit.name);
  }();
  TRY(inner_->destroy());
  TRY(std::move(stopped));
  may_be_there_ = false;
  return {};
}

Result<std::unique_ptr<CgroupManager>> open_systemd_cgroups(const CgroupLayout& layout,
                                                            const Spec& spec, const std::string& id,
                                                            const Resources& limits) {
  TRY(check_systemd_runs());
  const bool is_privileged = sys::is_host_root();
  const bool is_v1 = layout.version == CgroupVersion::kV1;
  if (!is_privileged && is_v1)
    return fail(ErrorKind::kUnsupported,
                "--systemd-cgroup without privileges needs cgroup v2, and this host has v1");
  UnitPlan plan{.unit = TRY(unit_of(spec.linux_.cgroups_path, id, is_privileged)),
                .description = fmt::format("berth container {}", id),
                .limits = limits,
                .annotated = TRY(annotated_properties(spec.annotations))};
  std::string path = plan.unit.path;
  if (!is_privileged) {
    UnitManager systemd = TRY(UnitManager::connect());
    const std::string above = TRY(systemd.control_group());
    path = fmt::format("{}/{}", above, path).substr(above.starts_with('/') ? 1 : 0);
  }
  auto inner = TRY(open_cgroups(layout, path, limits,
                                is_v1 ? tracking_hierarchies() : std::vector<Hierarchy>()));
  return std::unique_ptr<CgroupManager>(
      std::make_unique<SystemdCgroups>(std::move(plan), std::move(inner)));
}

Result<std::unique_ptr<CgroupManager>> adopt_cgroups_of(const std::string& unit,
                                                        const std::vector<std::string>& paths) {
  auto inner = TRY(adopt_cgroups(paths));
  if (unit.empty()) return inner;
  return std::unique_ptr<CgroupManager>(std::make_unique<SystemdCgroups>(unit, std::move(inner)));
}

}  // namespace berth::container
