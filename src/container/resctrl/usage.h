// RdtUsage: what resctrl says of a container: its schemata and the root's, what the processor can
// do, and what was measured. The names are those of runc's events (types/events.go).
// Documentation/filesystems/resctrl.rst.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "container/resctrl/groups.h"

namespace berth::container {

struct CacheInfo {
  std::string cbm_mask;  // hexadecimal
  std::uint64_t min_cbm_bits = 0;
  std::uint64_t num_closids = 0;
};

struct BandwidthInfo {
  std::uint64_t bandwidth_gran = 0;  // percent, as the minimum
  std::uint64_t delay_linear = 0;
  std::uint64_t min_bandwidth = 0;
  std::uint64_t num_closids = 0;
};

/// Of one L3 cache, in the order of their numbers. Bytes.
struct RdtMonitor {
  std::optional<std::uint64_t> llc_occupancy;
  std::optional<std::uint64_t> mbm_total_bytes;
  std::optional<std::uint64_t> mbm_local_bytes;
};

struct RdtUsage {
  std::optional<CacheInfo> l3;  // nullopt: the processor gives no shares of it
  std::string l3_schema_root;
  std::string l3_schema;
  std::optional<BandwidthInfo> bandwidth;
  std::string bandwidth_schema_root;
  std::string bandwidth_schema;
  std::vector<RdtMonitor> monitors;  // empty: it measures nothing
};

/// kNotFound: the class is gone.
Result<RdtUsage> read_rdt_usage(const RdtGroups& groups);

}  // namespace berth::container
