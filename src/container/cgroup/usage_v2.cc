#include <array>

#include "container/cgroup/usage_files.h"

namespace berth::container {
namespace {

CpuUsage read_cpu(const CgroupDirectory& directory) {
  constexpr std::uint64_t kMicrosecond = 1000;
  CpuUsage usage;
  for_each_pair(directory, "cpu.stat", [&](std::string_view key, std::uint64_t value) {
    if (key == "usage_usec") usage.total = value * kMicrosecond;
    if (key == "user_usec") usage.user = value * kMicrosecond;
    if (key == "system_usec") usage.kernel = value * kMicrosecond;
    if (key == "nr_periods") usage.periods = value;
    if (key == "nr_throttled") usage.throttled_periods = value;
    if (key == "throttled_usec") usage.throttled_time = value * kMicrosecond;
  });
  usage.pressure = pressure_in(directory, "cpu.pressure");
  return usage;
}

std::uint64_t value_of_key(const CgroupDirectory& directory, const std::string& file,
                           std::string_view wanted) {
  std::uint64_t found = 0;
  for_each_pair(directory, file, [&](std::string_view key, std::uint64_t value) {
    if (key == wanted) found = value;
  });
  return found;
}

MemoryEntry read_entry(const CgroupDirectory& directory, const std::string& prefix) {
  return {.usage = number_in(directory, prefix + ".current"),
          .max = number_in(directory, prefix + ".peak"),
          .limit = number_in(directory, prefix + ".max"),
          .failcnt = value_of_key(directory, prefix + ".events", "max")};
}

MemoryUsage read_memory(const CgroupDirectory& directory) {
  MemoryUsage usage;
  for_each_pair(directory, "memory.stat",
                [&](std::string_view key, std::uint64_t value) { usage.raw.emplace(key, value); });
  if (const auto file = usage.raw.find("file"); file != usage.raw.end()) usage.cache = file->second;
  usage.memory = read_entry(directory, "memory");
  // As v1 has it: memory and swap together. Of the two peaks nobody knows whether they coincided.
  usage.swap = read_entry(directory, "memory.swap");
  usage.swap.max = 0;
  usage.swap.usage += usage.memory.usage;
  usage.swap.limit = usage.swap.limit == kNoLimit || usage.memory.limit == kNoLimit
                         ? kNoLimit
                         : usage.swap.limit + usage.memory.limit;
  usage.pressure = pressure_in(directory, "memory.pressure");
  return usage;
}

struct IoWord {
  std::string_view word;
  const char* operation;
  std::vector<BlockIoEntry> BlockIoUsage::* target;
};
// v2's words for what v1 has in tables.
constexpr auto kIoWords = std::to_array<IoWord>({
    {"rbytes", "Read", &BlockIoUsage::service_bytes},
    {"wbytes", "Write", &BlockIoUsage::service_bytes},
    {"rios", "Read", &BlockIoUsage::serviced},
    {"wios", "Write", &BlockIoUsage::serviced},
});

// "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6"
BlockIoUsage read_block_io(const CgroupDirectory& directory) {
  BlockIoUsage usage;
  for_each_line(directory, "io.stat", [&](std::span<const std::string_view> words) {
    const auto colon = words[0].find(':');
    if (colon == std::string_view::npos) return;
    const auto major = parse_number(words[0].substr(0, colon));
    const auto minor = parse_number(words[0].substr(colon + 1));
    if (!major || !minor) return;
    for (const std::string_view field : words.subspan(1)) {
      const auto equals = std::min(field.find('='), field.size());
      for (const IoWord& row : kIoWords) {
        if (row.word != field.substr(0, equals) || equals == field.size()) continue;
        if (const auto value = parse_number(field.substr(equals + 1)))
          (usage.*row.target).push_back({*major, *minor, row.operation, *value});
      }
    }
  });
  usage.pressure = pressure_in(directory, "io.pressure");
  return usage;
}

}  // namespace

Usage read_usage_v2(const CgroupDirectory& directory) {
  Usage usage;
  usage.cpu = read_cpu(directory);
  usage.memory = read_memory(directory);
  usage.pids.current = number_in(directory, "pids.current");
  const auto limit = number_in(directory, "pids.max");
  usage.pids.limit = limit == kNoLimit ? 0 : limit;
  usage.block_io = read_block_io(directory);
  for (const std::string& size : hugepage_sizes(directory, ".current")) {
    const std::string prefix = fmt::format("hugetlb.{}", size);
    usage.hugepages[size] = {.usage = number_in(directory, prefix + ".current"),
                             .max = 0,
                             .failcnt = value_of_key(directory, prefix + ".events", "max")};
  }
  return usage;
}

}  // namespace berth::container
