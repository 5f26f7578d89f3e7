#include "container/spec/proc_paths.h"

#include <algorithm>
#include <array>
#include <filesystem>

namespace berth::container {

std::string normal_path(std::string_view path) {
  std::string normal = std::filesystem::path(path).lexically_normal().string();
  while (normal.size() > 1 && normal.ends_with('/')) normal.pop_back();
  // Two slashes at the front are one to the kernel.
  if (normal.starts_with("//")) normal.erase(0, normal.find_first_not_of('/') - 1);
  return normal;
}

bool may_cover_in_proc(std::string_view path) {
  static constexpr auto kFiles = std::to_array<std::string_view>(
      {"/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo", "/proc/stat", "/proc/swaps",
       "/proc/uptime", "/proc/loadavg", "/proc/slabinfo", "/proc/net/dev",
       "/proc/sys/kernel/ns_last_pid", "/proc/sys/crypto/fips_enabled"});
  return std::ranges::find(kFiles, path) != kFiles.end();
}

}  // namespace berth::container
