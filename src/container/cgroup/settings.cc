#include "container/cgroup/settings.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

namespace berth::container {
namespace {

class Settings {
 public:
  template <typename T>
  void add(const char* controller, std::string file, const T& value) {
    list_.push_back({controller, std::move(file), fmt::format("{}", value)});
  }
  /// Zero is the specification's other way of saying nothing.
  template <typename T>
  void add_nonzero(const char* controller, const char* file, const std::optional<T>& value) {
    if (value && *value != 0) add(controller, file, *value);
  }
  template <typename T>
  void add_given(const char* controller, const char* file, const std::optional<T>& value) {
    if (value) add(controller, file, *value);
  }
  void add_text(const char* controller, const char* file, const std::string& value) {
    if (!value.empty()) add(controller, file, value);
  }
  std::vector<CgroupSetting> take() { return std::move(list_); }

 private:
  std::vector<CgroupSetting> list_;
};

std::string limit_or_max(std::int64_t value) {
  return value < 0 ? "max" : fmt::format("{}", value);
}

void add_throttles(Settings& out, const char* file, const std::vector<BlockIoThrottle>& list) {
  for (const auto& entry : list)
    out.add("blkio", file, fmt::format("{}:{} {}", entry.major, entry.minor, entry.rate));
}

void add_limits(Settings& out, const char* word, const std::vector<BlockIoThrottle>& list) {
  for (const auto& entry : list)
    out.add("io", "io.max", fmt::format("{}:{} {}={}", entry.major, entry.minor, word, entry.rate));
}

// Both versions have the same file.
void add_rdma(Settings& out, const std::map<std::string, RdmaLimit>& devices) {
  for (const auto& [name, limit] : devices) {
    std::string line = name;
    if (limit.handles) line += fmt::format(" hca_handle={}", *limit.handles);
    if (limit.objects) line += fmt::format(" hca_object={}", *limit.objects);
    out.add("rdma", "rdma.max", line);
  }
}

// memory.swap.max counts swap alone, the specification memory and swap together.
Result<void> add_swap_v2(Settings& out, const MemoryResources& memory) {
  if (!memory.swap || *memory.swap == 0) return {};
  if (*memory.swap < 0) {
    out.add("memory", "memory.swap.max", "max");
    return {};
  }
  if (!memory.limit || *memory.limit <= 0)
    return fail(ErrorKind::kInvalid, "linux.resources.memory.swap needs memory.limit");
  if (*memory.swap < *memory.limit)
    return fail(ErrorKind::kInvalid, "linux.resources.memory.swap is below memory.limit");
  out.add("memory", "memory.swap.max", *memory.swap - *memory.limit);
  return {};
}

}  // namespace

std::string present_name_of(const CgroupDirectory& directory, const std::string& file) {
  constexpr std::string_view kWeight = "blkio.weight";
  if (!file.starts_with(kWeight) || ::faccessat(directory.fd(), file.c_str(), F_OK, 0) == 0)
    return file;
  return fmt::format("blkio.bfq.{}", file.substr(sizeof "blkio." - 1));
}

std::uint64_t weight_of_shares(std::uint64_t shares) {
  const std::uint64_t bounded = std::clamp<std::uint64_t>(shares, 2, 262144);
  return 1 + (bounded - 2) * 9999 / 262142;
}

std::uint64_t io_weight_of(std::uint16_t weight) {
  const std::uint64_t bounded = std::clamp<std::uint64_t>(weight, 10, 1000);
  return 1 + (bounded - 10) * 9999 / 990;
}

Result<std::vector<CgroupSetting>> settings_v1(const Resources& resources) {
  Settings out;
  const MemoryResources& memory = resources.memory;
  out.add_nonzero("memory", "memory.limit_in_bytes", memory.limit);
  out.add_nonzero("memory", "memory.memsw.limit_in_bytes", memory.swap);
  out.add_nonzero("memory", "memory.soft_limit_in_bytes", memory.reservation);
  out.add_given("memory", "memory.swappiness", memory.swappiness);
  if (memory.disable_oom_killer.value_or(false)) out.add("memory", "memory.oom_control", 1);

  const CpuResources& cpu = resources.cpu;
  out.add_nonzero("cpu", "cpu.shares", cpu.shares);
  out.add_nonzero("cpu", "cpu.cfs_period_us", cpu.period);
  out.add_nonzero("cpu", "cpu.cfs_quota_us", cpu.quota);
  out.add_nonzero("cpu", "cpu.cfs_burst_us", cpu.burst);
  out.add_nonzero("cpu", "cpu.rt_period_us", cpu.realtime_period);
  out.add_nonzero("cpu", "cpu.rt_runtime_us", cpu.realtime_runtime);
  out.add_given("cpu", "cpu.idle", cpu.idle);
  out.add_text("cpuset", "cpuset.cpus", cpu.cpus);
  out.add_text("cpuset", "cpuset.mems", cpu.mems);

  if (resources.pids.limit.value_or(0) != 0)
    out.add("pids", "pids.max", limit_or_max(*resources.pids.limit));

  const BlockIoResources& io = resources.block_io;
  out.add_nonzero("blkio", "blkio.weight", io.weight);
  out.add_nonzero("blkio", "blkio.leaf_weight", io.leaf_weight);
  for (const BlockIoWeight& device : io.weight_devices) {
    if (device.weight)
      out.add("blkio", "blkio.weight_device",
              fmt::format("{}:{} {}", device.major, device.minor, *device.weight));
    if (device.leaf_weight)
      out.add("blkio", "blkio.leaf_weight_device",
              fmt::format("{}:{} {}", device.major, device.minor, *device.leaf_weight));
  }
  add_throttles(out, "blkio.throttle.read_bps_device", io.read_bps);
  add_throttles(out, "blkio.throttle.write_bps_device", io.write_bps);
  add_throttles(out, "blkio.throttle.read_iops_device", io.read_iops);
  add_throttles(out, "blkio.throttle.write_iops_device", io.write_iops);
  for (const HugepageLimit& limit : resources.hugepage_limits)
    out.add("hugetlb", fmt::format("hugetlb.{}.limit_in_bytes", limit.page_size), limit.limit);
  add_rdma(out, resources.rdma);
  out.add_given("net_cls", "net_cls.classid", resources.network.class_id);
  for (const InterfacePriority& interface : resources.network.priorities)
    out.add("net_prio", "net_prio.ifpriomap",
            fmt::format("{} {}", interface.name, interface.priority));
  if (!resources.unified.empty())
    return fail(ErrorKind::kUnsupported,
                "linux.resources.unified needs cgroup v2, and this host has v1");
  return out.take();
}

Result<std::vector<CgroupSetting>> settings_v2(const Resources& resources) {
  Settings out;
  const MemoryResources& memory = resources.memory;
  if (memory.limit.value_or(0) != 0) out.add("memory", "memory.max", limit_or_max(*memory.limit));
  TRY(add_swap_v2(out, memory));
  if (memory.reservation.value_or(0) != 0)
    out.add("memory", "memory.low", limit_or_max(*memory.reservation));
  if (memory.swappiness)
    return fail(ErrorKind::kUnsupported,
                "linux.resources.memory.swappiness needs cgroup v1, and this host has v2");
  if (memory.disable_oom_killer.value_or(false))
    return fail(ErrorKind::kUnsupported,
                "linux.resources.memory.disableOOMKiller needs cgroup v1, and this host has v2");

  const CpuResources& cpu = resources.cpu;
  if (cpu.shares.value_or(0) != 0) out.add("cpu", "cpu.weight", weight_of_shares(*cpu.shares));
  if (cpu.quota.value_or(0) != 0 || cpu.period.value_or(0) != 0) {
    constexpr std::uint64_t kDefaultPeriod = 100000;
    const std::uint64_t period = cpu.period.value_or(0) == 0 ? kDefaultPeriod : *cpu.period;
    const std::int64_t quota = cpu.quota.value_or(0);
    out.add("cpu", "cpu.max", fmt::format("{} {}", limit_or_max(quota == 0 ? -1 : quota), period));
  }
  out.add_nonzero("cpu", "cpu.max.burst", cpu.burst);
  out.add_given("cpu", "cpu.idle", cpu.idle);
  if (cpu.realtime_period.value_or(0) != 0 || cpu.realtime_runtime.value_or(0) != 0)
    return fail(ErrorKind::kUnsupported,
                "linux.resources.cpu.realtime* need cgroup v1, and this host has v2");
  out.add_text("cpuset", "cpuset.cpus", cpu.cpus);
  out.add_text("cpuset", "cpuset.mems", cpu.mems);

  if (resources.pids.limit.value_or(0) != 0)
    out.add("pids", "pids.max", limit_or_max(*resources.pids.limit));

  const BlockIoResources& io = resources.block_io;
  if (io.weight.value_or(0) != 0) out.add("io", "io.weight", io_weight_of(*io.weight));
  for (const BlockIoWeight& device : io.weight_devices)
    if (device.weight)
      out.add("io", "io.weight",
              fmt::format("{}:{} {}", device.major, device.minor, io_weight_of(*device.weight)));
  add_limits(out, "rbps", io.read_bps);
  add_limits(out, "wbps", io.write_bps);
  add_limits(out, "riops", io.read_iops);
  add_limits(out, "wiops", io.write_iops);
  for (const HugepageLimit& limit : resources.hugepage_limits)
    out.add("hugetlb", fmt::format("hugetlb.{}.max", limit.page_size), limit.limit);
  add_rdma(out, resources.rdma);
  if (resources.network != NetworkResources())
    return fail(ErrorKind::kUnsupported,
                "linux.resources.network needs cgroup v1, and this host has v2");
  // Last, so that they win over what was translated.
  for (const auto& [file, value] : resources.unified)
    out.add(file.substr(0, file.find('.')).c_str(), file, value);
  return out.take();
}

}  // namespace berth::container
