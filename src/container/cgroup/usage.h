// Usage: everything a container's cgroups say of what it used, as `berth-runtime events` prints it.
// Sources: kernel admin-guide cgroup-v1/*.rst, cgroup-v2.rst, accounting/psi.rst; the names and the
// units are those of runc's events. What the host does not account is zero, or empty.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "container/cgroup/manager.h"

namespace berth::container {

/// Pressure stall information: averages in percent, the total in microseconds.
struct PressureLine {
  double avg10 = 0;
  double avg60 = 0;
  double avg300 = 0;
  std::uint64_t total = 0;
  friend bool operator==(const PressureLine&, const PressureLine&) = default;
};
struct Pressure {
  PressureLine some;
  PressureLine full;
  friend bool operator==(const Pressure&, const Pressure&) = default;
};

/// Times in nanoseconds.
struct CpuUsage {
  std::uint64_t total = 0;
  std::uint64_t kernel = 0;
  std::uint64_t user = 0;
  std::vector<std::uint64_t> per_cpu;  // v1, as the two below
  std::vector<std::uint64_t> per_cpu_kernel;
  std::vector<std::uint64_t> per_cpu_user;
  std::uint64_t periods = 0;
  std::uint64_t throttled_periods = 0;
  std::uint64_t throttled_time = 0;
  std::optional<Pressure> pressure;  // v2
};

/// v1 only. Zero where the container is in no cpuset of its own.
struct CpusetUsage {
  std::vector<std::uint16_t> cpus;
  std::vector<std::uint16_t> mems;
  std::uint64_t cpu_exclusive = 0;
  std::uint64_t mem_hardwall = 0;
  std::uint64_t mem_exclusive = 0;
  std::uint64_t memory_migrate = 0;
  std::uint64_t memory_spread_page = 0;
  std::uint64_t memory_spread_slab = 0;
  std::uint64_t memory_pressure = 0;
  std::uint64_t sched_load_balance = 0;
  std::int64_t sched_relax_domain_level = 0;
};

/// Bytes. Without a limit: what the kernel has for the largest number.
struct MemoryEntry {
  std::uint64_t usage = 0;
  std::uint64_t max = 0;
  std::uint64_t limit = 0;
  std::uint64_t failcnt = 0;
  friend bool operator==(const MemoryEntry&, const MemoryEntry&) = default;
};

struct MemoryUsage {
  std::uint64_t cache = 0;
  MemoryEntry memory;
  MemoryEntry swap;  // memory and swap together, on v2 as well
  MemoryEntry kernel;
  MemoryEntry kernel_tcp;
  std::map<std::string, std::uint64_t> raw;  // memory.stat
  std::optional<Pressure> pressure;
};

struct PidsUsage {
  std::uint64_t current = 0;
  std::uint64_t limit = 0;  // 0: none
};

struct BlockIoEntry {
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  std::string operation;  // "Read"; empty where the file has none
  std::uint64_t value = 0;
  friend bool operator==(const BlockIoEntry&, const BlockIoEntry&) = default;
};

struct BlockIoUsage {
  std::vector<BlockIoEntry> service_bytes;
  std::vector<BlockIoEntry> serviced;
  std::vector<BlockIoEntry> queued;
  std::vector<BlockIoEntry> service_time;
  std::vector<BlockIoEntry> wait_time;
  std::vector<BlockIoEntry> merged;
  std::vector<BlockIoEntry> time;
  std::vector<BlockIoEntry> sectors;
  std::optional<Pressure> pressure;
};

struct HugepageUsage {
  std::uint64_t usage = 0;
  std::uint64_t max = 0;
  std::uint64_t failcnt = 0;
};

struct Usage {
  CpuUsage cpu;
  CpusetUsage cpuset;
  MemoryUsage memory;
  PidsUsage pids;
  BlockIoUsage block_io;
  std::map<std::string, HugepageUsage> hugepages;  // "2MB"
};

/// kNotFound: the cgroups are gone.
Result<Usage> read_usage(const CgroupManager& manager);

}  // namespace berth::container
