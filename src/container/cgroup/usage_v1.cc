#include <unistd.h>

#include <array>

#include "container/cgroup/usage_files.h"

namespace berth::container {
namespace {

void read_cpu(const CgroupDirectory& cpu, CpuUsage& usage) {
  for_each_pair(cpu, "cpu.stat", [&](std::string_view key, std::uint64_t value) {
    if (key == "nr_periods") usage.periods = value;
    if (key == "nr_throttled") usage.throttled_periods = value;
    if (key == "throttled_time") usage.throttled_time = value;
  });
}

void read_cpuacct(const CgroupDirectory& cpuacct, CpuUsage& usage) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  const auto tick = kSecond / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  for_each_pair(cpuacct, "cpuacct.stat", [&](std::string_view key, std::uint64_t ticks) {
    if (key == "user") usage.user = ticks * tick;
    if (key == "system") usage.kernel = ticks * tick;
  });
  usage.total = number_in(cpuacct, "cpuacct.usage");
  for_each_line(cpuacct, "cpuacct.usage_percpu", [&](std::span<const std::string_view> words) {
    for (const std::string_view word : words)
      if (const auto value = parse_number(word)) usage.per_cpu.push_back(*value);
  });
  // "cpu user system" is the first line, and then a number for each.
  for_each_line(cpuacct, "cpuacct.usage_all", [&](std::span<const std::string_view> words) {
    if (words.size() < 3 || !parse_number(words[0])) return;
    usage.per_cpu_user.push_back(parse_number(words[1]).value_or(0));
    usage.per_cpu_kernel.push_back(parse_number(words[2]).value_or(0));
  });
}

CpusetUsage read_cpuset(const CgroupDirectory& cpuset) {
  CpusetUsage usage;
  usage.cpus = list_in(cpuset, "cpuset.cpus");
  usage.mems = list_in(cpuset, "cpuset.mems");
  usage.cpu_exclusive = number_in(cpuset, "cpuset.cpu_exclusive");
  usage.mem_hardwall = number_in(cpuset, "cpuset.mem_hardwall");
  usage.mem_exclusive = number_in(cpuset, "cpuset.mem_exclusive");
  usage.memory_migrate = number_in(cpuset, "cpuset.memory_migrate");
  usage.memory_spread_page = number_in(cpuset, "cpuset.memory_spread_page");
  usage.memory_spread_slab = number_in(cpuset, "cpuset.memory_spread_slab");
  usage.memory_pressure = number_in(cpuset, "cpuset.memory_pressure");
  usage.sched_load_balance = number_in(cpuset, "cpuset.sched_load_balance");
  // -1 is "no request": what is no number is that.
  const auto level = cpuset.read_number("cpuset.sched_relax_domain_level");
  usage.sched_relax_domain_level = level ? static_cast<std::int64_t>(*level) : -1;
  return usage;
}

MemoryEntry read_entry(const CgroupDirectory& memory, const std::string& prefix) {
  return {.usage = number_in(memory, prefix + ".usage_in_bytes"),
          .max = number_in(memory, prefix + ".max_usage_in_bytes"),
          .limit = number_in(memory, prefix + ".limit_in_bytes"),
          .failcnt = number_in(memory, prefix + ".failcnt")};
}

MemoryUsage read_memory(const CgroupDirectory& memory) {
  MemoryUsage usage;
  for_each_pair(memory, "memory.stat",
                [&](std::string_view key, std::uint64_t value) { usage.raw.emplace(key, value); });
  if (const auto cache = usage.raw.find("cache"); cache != usage.raw.end())
    usage.cache = cache->second;
  usage.memory = read_entry(memory, "memory");
  usage.swap = read_entry(memory, "memory.memsw");
  usage.kernel = read_entry(memory, "memory.kmem");
  usage.kernel_tcp = read_entry(memory, "memory.kmem.tcp");
  return usage;
}

// "8:0 Read 4096" for each device and operation, and a "Total 4096" at the end.
std::vector<BlockIoEntry> read_table(const CgroupDirectory& blkio, const std::string& file) {
  std::vector<BlockIoEntry> table;
  for_each_line(blkio, file, [&](std::span<const std::string_view> words) {
    const auto colon = words[0].find(':');
    if (colon == std::string_view::npos || words.size() < 2) return;
    const auto major = parse_number(words[0].substr(0, colon));
    const auto minor = parse_number(words[0].substr(colon + 1));
    const auto value = parse_number(words.back());
    if (!major || !minor || !value) return;
    table.push_back(
        {*major, *minor, words.size() > 2 ? std::string(words[1]) : std::string(), *value});
  });
  return table;
}

struct Table {
  const char* name;
  std::vector<BlockIoEntry> BlockIoUsage::* target;
};
constexpr auto kTables = std::to_array<Table>({
    {"io_service_bytes_recursive", &BlockIoUsage::service_bytes},
    {"io_serviced_recursive", &BlockIoUsage::serviced},
    {"io_queued_recursive", &BlockIoUsage::queued},
    {"io_service_time_recursive", &BlockIoUsage::service_time},
    {"io_wait_time_recursive", &BlockIoUsage::wait_time},
    {"io_merged_recursive", &BlockIoUsage::merged},
    {"time_recursive", &BlockIoUsage::time},
    {"sectors_recursive", &BlockIoUsage::sectors},
});

// Who counts depends on which scheduler a disk has: BFQ, CFQ before Linux 5.0, or none, which
// leaves the throttling layer. The first that has counted anything is believed.
BlockIoUsage read_block_io(const CgroupDirectory& blkio) {
  BlockIoUsage usage;
  for (const char* counter : {"blkio.bfq.", "blkio.", "blkio.throttle."}) {
    for (const Table& table : kTables)
      usage.*table.target = read_table(blkio, std::string(counter) + table.name);
    if (!usage.service_bytes.empty()) break;
  }
  return usage;
}

}  // namespace

Usage read_usage_v1(const CgroupManager& manager) {
  Usage usage;
  if (const auto* cpu = manager.directory_of("cpu")) read_cpu(*cpu, usage.cpu);
  if (const auto* cpuacct = manager.directory_of("cpuacct")) read_cpuacct(*cpuacct, usage.cpu);
  if (const auto* cpuset = manager.directory_of("cpuset")) usage.cpuset = read_cpuset(*cpuset);
  if (const auto* memory = manager.directory_of("memory")) usage.memory = read_memory(*memory);
  if (const auto* pids = manager.directory_of("pids")) {
    usage.pids.current = number_in(*pids, "pids.current");
    const auto limit = number_in(*pids, "pids.max");
    usage.pids.limit = limit == kNoLimit ? 0 : limit;
  }
  if (const auto* blkio = manager.directory_of("blkio")) usage.block_io = read_block_io(*blkio);
  if (const auto* hugetlb = manager.directory_of("hugetlb"))
    for (const std::string& size : hugepage_sizes(*hugetlb, ".usage_in_bytes")) {
      const std::string prefix = fmt::format("hugetlb.{}", size);
      usage.hugepages[size] = {.usage = number_in(*hugetlb, prefix + ".usage_in_bytes"),
                               .max = number_in(*hugetlb, prefix + ".max_usage_in_bytes"),
                               .failcnt = number_in(*hugetlb, prefix + ".failcnt")};
    }
  return usage;
}

}  // namespace berth::container
