#include "container/cgroup/update.h"

#include <algorithm>
#include <charconv>

#include "container/cgroup/settings.h"

namespace berth::container {
namespace {

constexpr std::string_view kMemoryLimit = "memory.limit_in_bytes";
constexpr std::string_view kMemorySwapLimit = "memory.memsw.limit_in_bytes";

std::string_view first_word(std::string_view text) {
  return text.substr(0, text.find_first_of(" \n"));
}

bool has_file(const CgroupDirectory* directory, const char* file) {
  return directory && directory->read(file).ok();
}

// On v2 quota and period are one file, of which only one part may be given.
Result<void> complete_cpu(const CgroupDirectory& directory, CpuResources& cpu) {
  const bool quota = cpu.quota.value_or(0) != 0;
  const bool period = cpu.period.value_or(0) != 0;
  if (quota == period) return {};
  const std::string now = TRY(directory.read("cpu.max"));
  const std::string_view first = first_word(now);
  const auto parse = [](std::string_view text, auto& value) {
    (void)std::from_chars(text.data(), text.data() + text.size(), value);
  };
  if (period) {
    std::int64_t value = -1;
    parse(first, value);  // "max" is no number
    cpu.quota = value;
  } else if (first.size() < now.size()) {
    std::uint64_t value = 0;
    parse(std::string_view(now).substr(first.size() + 1), value);
    cpu.period = value;
  }
  return {};
}

// Memory without a limit means swap without one, unless that is given.
void complete_swap(const CgroupDirectory* directory, const char* swap_file,
                   MemoryResources& memory) {
  if (memory.limit == -1 && !memory.swap && has_file(directory, swap_file)) memory.swap = -1;
}

Result<void> complete_v2(const CgroupManager& manager, Resources& resources) {
  const CgroupDirectory* directory = manager.directory_of({});
  if (!directory) return {};
  if (has_file(directory, "cpu.max")) TRY(complete_cpu(*directory, resources.cpu));
  MemoryResources& memory = resources.memory;
  complete_swap(directory, "memory.swap.max", memory);
  const bool limited = memory.limit.value_or(0) > 0;
  const auto usage = directory->read_number("memory.current");
  if (memory.check_before_update.value_or(false) && limited && usage &&
      *usage > static_cast<std::uint64_t>(*memory.limit))
    return fail(ErrorKind::kConflict, "rejecting memory limit {} because of current usage {}",
                *memory.limit, *usage);
  // What is given is memory and swap together, what the file takes swap alone.
  if (memory.swap.value_or(0) > 0 && !memory.limit) {
    const auto now = directory->read_number("memory.max");
    if (!now) return fail(ErrorKind::kInvalid, "unable to set swap limit without memory limit");
    const auto both = static_cast<std::uint64_t>(*memory.swap);
    if (both < *now)
      return fail(ErrorKind::kInvalid, "memory+swap limit {} is below the memory limit {}", both,
                  *now);
    resources.unified.try_emplace("memory.swap.max", fmt::format("{}", both - *now));
    memory.swap.reset();
  }
  return {};
}

// A limit, and how to take it back.
struct Change {
  const CgroupDirectory* directory;
  std::string file;
  std::string value;
  std::string before;
};

// What a file of lines "8:0 value" has for a device, or what takes that line away.
std::string line_of_device(std::string_view file, std::string_view text, std::string_view device) {
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    if (first_word(line) == device) return std::string(line);
    at = end + 1;
  }
  if (file == "io.max") return fmt::format("{} rbps=max wbps=max riops=max wiops=max", device);
  return fmt::format("{} {}", device, file == "io.weight" ? "default" : "0");
}

// What to write to have again what is there now.
std::string value_before(std::string_view file, std::string_view text, std::string_view value) {
  const std::string_view device = first_word(value);
  if (device.size() < value.size() && device.find(':') != std::string_view::npos)
    return line_of_device(file, text, device);
  text = text.substr(0, text.find('\n'));
  constexpr std::string_view kFlag = "oom_kill_disable ";
  if (text.starts_with(kFlag)) text.remove_prefix(kFlag.size());
  return std::string(text);
}

Result<Change> plan_change(const CgroupManager& manager, const CgroupSetting& setting) {
  const CgroupDirectory* directory = manager.directory_of(setting.controller);
  if (!directory) return fail(ErrorKind::kConflict, "the container's cgroups are gone");
  const std::string file = present_name_of(*directory, setting.file);
  auto text = directory->read(file);
  if (!text.ok() && text.error().kind() == ErrorKind::kNotFound)
    return fail(ErrorKind::kUnsupported, "this host has no {}: it cannot limit that", setting.file);
  const std::string before = value_before(file, TRY(std::move(text)), setting.value);
  return Change{directory, file, setting.value, before};
}

// The kernel holds some limits against each other as they are at that moment: memory against memory
// and swap, quota against period. What it calls invalid is tried again once the others are written,
// until a round brings nothing new. Returns the error of the last round.
Result<void> write_rounds(std::vector<const Change*> pending, std::string Change::* value,
                          std::vector<const Change*>& written) {
  for (;;) {
    std::vector<const Change*> refused;
    Result<void> first_error;
    for (const Change* change : pending) {
      auto done = change->directory->write(change->file, change->*value);
      if (done.ok()) {
        written.push_back(change);
        continue;
      }
      if (done.error().os_errno() != EINVAL) return done;
      if (refused.empty()) first_error = std::move(done);
      refused.push_back(change);
    }
    if (refused.empty() || refused.size() == pending.size()) return first_error;
    pending = std::move(refused);
  }
}

// What the bare errno does not say.
Error explain(Error error, const std::vector<Change>& changes) {
  for (const Change& change : changes) {
    if (change.file != kMemoryLimit ||
        error.message().find(change.directory->path() + "/" + change.file) == std::string::npos)
      continue;
    const CgroupDirectory& memory = *change.directory;
    if (error.os_errno() == EBUSY)
      return fail(ErrorKind::kConflict,
                  "unable to set memory limit to {} (current usage: {}, peak usage: {})",
                  change.value, memory.read_number("memory.usage_in_bytes").value_or(0),
                  memory.read_number("memory.max_usage_in_bytes").value_or(0));
    if (error.os_errno() == EINVAL)
      return std::move(error).context(
          fmt::format("the memory limit is above that of memory and swap together, {}: raise both",
                      memory.read_number(std::string(kMemorySwapLimit)).value_or(0)));
  }
  return error;
}

// `confirm` has the last word.
template <typename Confirm>
Result<void> write_all_or_nothing(const std::vector<Change>& changes, Confirm confirm) {
  std::vector<const Change*> pending, written, restored;
  for (const Change& change : changes) pending.push_back(&change);
  auto done = write_rounds(pending, &Change::value, written);
  if (done.ok()) done = confirm();
  if (done.ok()) return {};
  Error error = explain(std::move(done).error(), changes);
  std::ranges::reverse(written);
  if (auto back = write_rounds(written, &Change::before, restored); !back.ok())
    return std::move(error).context(fmt::format(
        "some limits have changed, for one could not be set back ({})", back.error().message()));
  return error;
}

}  // namespace

Result<void> update_cgroups(CgroupManager& manager, Resources resources) {
  resources.devices.clear();
  const bool v1 = manager.version() == CgroupVersion::kV1;
  if (v1)
    complete_swap(manager.directory_of("memory"), kMemorySwapLimit.data(), resources.memory);
  else
    TRY(complete_v2(manager, resources));
  resources = manager.as_kept(std::move(resources));
  auto settings = v1 ? TRY(settings_v1(resources)) : TRY(settings_v2(resources));
  // In a config.json zero is the same as nothing; here it takes a burst away.
  if (resources.cpu.burst == 0U)
    settings.push_back({"cpu", v1 ? "cpu.cfs_burst_us" : "cpu.max.burst", "0"});
  std::vector<std::string> controllers;
  for (const CgroupSetting& setting : settings)
    if (std::ranges::find(controllers, setting.controller) == controllers.end())
      controllers.push_back(setting.controller);
  TRY(manager.extend(controllers));
  std::vector<Change> changes;
  for (const CgroupSetting& setting : settings)
    changes.push_back(TRY(plan_change(manager, setting)));
  return write_all_or_nothing(changes, [&] { return manager.announce(resources); });
}

}  // namespace berth::container
