#include "container/resctrl/usage.h"

#include <algorithm>
#include <charconv>

#include "container/resctrl/schemata.h"
#include "sys/dir.h"
#include "sys/file.h"

namespace berth::container {
namespace {

constexpr std::string_view kCaches = "mon_L3_";

// A file is not there if the processor lacks what it is about.
std::optional<std::string> text_in(const std::string& path) {
  auto text = sys::read_file(path);
  if (!text.ok()) return std::nullopt;
  return text->substr(0, text->find('\n'));
}

// "Unavailable" and "Error" are no numbers.
std::optional<std::uint64_t> number_in(const std::string& path) {
  const auto text = text_in(path);
  std::uint64_t number = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), number).ec != std::errc())
    return std::nullopt;
  return number;
}

std::optional<CacheInfo> read_cache_info(const std::string& directory) {
  const auto mask = text_in(directory + "/cbm_mask");
  if (!mask) return std::nullopt;
  return CacheInfo{.cbm_mask = *mask,
                   .min_cbm_bits = number_in(directory + "/min_cbm_bits").value_or(0),
                   .num_closids = number_in(directory + "/num_closids").value_or(0)};
}

std::optional<BandwidthInfo> read_bandwidth_info(const std::string& directory) {
  const auto least = number_in(directory + "/min_bandwidth");
  if (!least) return std::nullopt;
  return BandwidthInfo{.bandwidth_gran = number_in(directory + "/bandwidth_gran").value_or(0),
                       .delay_linear = number_in(directory + "/delay_linear").value_or(0),
                       .min_bandwidth = *least,
                       .num_closids = number_in(directory + "/num_closids").value_or(0)};
}

std::vector<RdtMonitor> read_monitors(const std::string& directory) {
  const auto opened = sys::open_dir(directory);
  if (!opened.ok()) return {};
  const auto entries = sys::list_dir(opened->get());
  if (!entries.ok()) return {};
  std::vector<std::string> caches;
  for (const auto& entry : *entries)
    if (entry.name.starts_with(kCaches)) caches.push_back(entry.name);
  std::ranges::sort(caches);
  std::vector<RdtMonitor> monitors;
  for (const std::string& cache : caches) {
    const std::string path = directory + "/" + cache;
    monitors.push_back({.llc_occupancy = number_in(path + "/llc_occupancy"),
                        .mbm_total_bytes = number_in(path + "/mbm_total_bytes"),
                        .mbm_local_bytes = number_in(path + "/mbm_local_bytes")});
  }
  return monitors;
}

}  // namespace

Result<RdtUsage> read_rdt_usage(const RdtGroups& groups) {
  const std::string root = TRY(sys::read_file(groups.mount() + "/schemata"));
  const std::string own = TRY(sys::read_file(groups.clos() + "/schemata"));
  const std::string& measured = groups.monitoring().empty() ? groups.clos() : groups.monitoring();
  return RdtUsage{.l3 = read_cache_info(groups.mount() + "/info/L3"),
                  .l3_schema_root = find_schema(root, "L3"),
                  .l3_schema = find_schema(own, "L3"),
                  .bandwidth = read_bandwidth_info(groups.mount() + "/info/MB"),
                  .bandwidth_schema_root = find_schema(root, "MB"),
                  .bandwidth_schema = find_schema(own, "MB"),
                  .monitors = read_monitors(measured + "/mon_data")};
}

}  // namespace berth::container
