#include "berth-runtime/usage_json.h"

#include <algorithm>

#include "container/spec/json_writer.h"

namespace berth::runtime {
namespace {

using container::BlockIoEntry;
using container::JsonWriter;
using container::MemoryEntry;
using container::Usage;

class Writer {
 public:
  template <typename T>
  void field(std::string_view name, const T& value) {
    out_.key(name);
    out_.write(value);
  }
  /// Left out if it is zero.
  template <typename T>
  void nonzero(std::string_view name, const T& value) {
    if (value != T()) field(name, value);
  }
  /// Left out if it is empty.
  void text(std::string_view name, std::string_view value) {
    if (!value.empty()) field(name, value);
  }
  template <typename T>
  void list(std::string_view name, const std::vector<T>& values) {
    if (values.empty()) return;
    out_.key(name);
    out_.begin_array();
    for (const T& value : values) out_.write(value);
    out_.end_array();
  }
  template <typename Body>
  void object(std::string_view name, Body body) {
    out_.key(name);
    out_.begin_object();
    body();
    out_.end_object();
  }

  void event(std::string_view type, const std::string& id) {
    field("type", type);
    field("id", std::string_view(id));
  }
  void pressure(const std::optional<container::Pressure>& pressure) {
    if (!pressure) return;
    object("psi", [&] {
      line("some", pressure->some);
      line("full", pressure->full);
    });
  }
  void entry(std::string_view name, const MemoryEntry& memory) {
    object(name, [&] {
      field("limit", memory.limit);
      nonzero("usage", memory.usage);
      nonzero("max", memory.max);
      field("failcnt", memory.failcnt);
    });
  }
  void table(std::string_view name, const std::vector<BlockIoEntry>& entries) {
    if (entries.empty()) return;
    out_.key(name);
    out_.begin_array();
    for (const BlockIoEntry& row : entries) {
      out_.begin_object();
      nonzero("major", row.major);
      nonzero("minor", row.minor);
      text("op", row.operation);
      nonzero("value", row.value);
      out_.end_object();
    }
    out_.end_array();
  }

  JsonWriter& out() { return out_; }

 private:
  void line(std::string_view name, const container::PressureLine& line) {
    object(name, [&] {
      field("avg10", line.avg10);
      field("avg60", line.avg60);
      field("avg300", line.avg300);
      field("total", line.total);
    });
  }

  JsonWriter out_;
};

void write_cpu(Writer& out, const container::CpuUsage& cpu) {
  out.object("usage", [&] {
    out.nonzero("total", cpu.total);
    out.list("percpu", cpu.per_cpu);
    out.list("percpu_kernel", cpu.per_cpu_kernel);
    out.list("percpu_user", cpu.per_cpu_user);
    out.field("kernel", cpu.kernel);
    out.field("user", cpu.user);
  });
  out.object("throttling", [&] {
    out.nonzero("periods", cpu.periods);
    out.nonzero("throttledPeriods", cpu.throttled_periods);
    out.nonzero("throttledTime", cpu.throttled_time);
  });
  out.pressure(cpu.pressure);
}

void write_cpuset(Writer& out, const container::CpusetUsage& cpuset) {
  out.list("cpus", cpuset.cpus);
  out.field("cpu_exclusive", cpuset.cpu_exclusive);
  out.list("mems", cpuset.mems);
  out.field("mem_hardwall", cpuset.mem_hardwall);
  out.field("mem_exclusive", cpuset.mem_exclusive);
  out.field("memory_migrate", cpuset.memory_migrate);
  out.field("memory_spread_page", cpuset.memory_spread_page);
  out.field("memory_spread_slab", cpuset.memory_spread_slab);
  out.field("memory_pressure", cpuset.memory_pressure);
  out.field("sched_load_balance", cpuset.sched_load_balance);
  out.field("sched_relax_domain_level", cpuset.sched_relax_domain_level);
}

void write_memory(Writer& out, const container::MemoryUsage& memory) {
  out.nonzero("cache", memory.cache);
  out.entry("usage", memory.memory);
  out.entry("swap", memory.swap);
  out.entry("kernel", memory.kernel);
  out.entry("kernelTCP", memory.kernel_tcp);
  if (!memory.raw.empty())
    out.object("raw", [&] {
      for (const auto& [name, value] : memory.raw) out.field(name, value);
    });
  out.pressure(memory.pressure);
}

void write_block_io(Writer& out, const container::BlockIoUsage& io) {
  out.table("ioServiceBytesRecursive", io.service_bytes);
  out.table("ioServicedRecursive", io.serviced);
  out.table("ioQueueRecursive", io.queued);
  out.table("ioServiceTimeRecursive", io.service_time);
  out.table("ioWaitTimeRecursive", io.wait_time);
  out.table("ioMergedRecursive", io.merged);
  out.table("ioTimeRecursive", io.time);
  out.table("sectorsRecursive", io.sectors);
  out.pressure(io.pressure);
}

void write_monitors(Writer& out, const std::vector<container::RdtMonitor>& monitors) {
  const auto table = [&](std::string_view name, auto has, auto write) {
    if (std::ranges::none_of(monitors, has)) return;
    out.out().key(name);
    out.out().begin_array();
    for (const container::RdtMonitor& monitor : monitors) {
      out.out().begin_object();
      write(monitor);
      out.out().end_object();
    }
    out.out().end_array();
  };
  table(
      "mbm_stats", [](const auto& one) { return one.mbm_total_bytes || one.mbm_local_bytes; },
      [&](const auto& one) {
        out.nonzero("mbm_total_bytes", one.mbm_total_bytes.value_or(0));
        out.nonzero("mbm_local_bytes", one.mbm_local_bytes.value_or(0));
      });
  table(
      "cmt_stats", [](const auto& one) { return one.llc_occupancy.has_value(); },
      [&](const auto& one) { out.nonzero("llc_occupancy", one.llc_occupancy.value_or(0)); });
}

void write_rdt(Writer& out, const container::RdtUsage& rdt) {
  if (rdt.l3)
    out.object("l3_cache_info", [&] {
      out.text("cbm_mask", rdt.l3->cbm_mask);
      out.nonzero("min_cbm_bits", rdt.l3->min_cbm_bits);
      out.nonzero("num_closids", rdt.l3->num_closids);
    });
  out.text("l3_cache_schema_root", rdt.l3_schema_root);
  out.text("l3_cache_schema", rdt.l3_schema);
  if (rdt.bandwidth)
    out.object("mem_bw_info", [&] {
      out.nonzero("bandwidth_gran", rdt.bandwidth->bandwidth_gran);
      out.nonzero("delay_linear", rdt.bandwidth->delay_linear);
      out.nonzero("min_bandwidth", rdt.bandwidth->min_bandwidth);
      out.nonzero("num_closids", rdt.bandwidth->num_closids);
    });
  out.text("mem_bw_schema_root", rdt.bandwidth_schema_root);
  out.text("mem_bw_schema", rdt.bandwidth_schema);
  write_monitors(out, rdt.monitors);
}

void write_usage(Writer& out, const Usage& usage, const std::optional<container::RdtUsage>& rdt) {
  out.object("cpu", [&] { write_cpu(out, usage.cpu); });
  out.object("cpuset", [&] { write_cpuset(out, usage.cpuset); });
  out.object("memory", [&] { write_memory(out, usage.memory); });
  out.object("pids", [&] {
    out.nonzero("current", usage.pids.current);
    out.nonzero("limit", usage.pids.limit);
  });
  out.object("blkio", [&] { write_block_io(out, usage.block_io); });
  out.object("hugetlb", [&] {
    for (const auto& [size, pages] : usage.hugepages)
      out.object(size, [&] {
        out.nonzero("usage", pages.usage);
        out.nonzero("max", pages.max);
        out.field("failcnt", pages.failcnt);
      });
  });
  out.object("intel_rdt", [&] {
    if (rdt) write_rdt(out, *rdt);
  });
  out.out().key("network_interfaces");
  out.out().write_null();
}

}  // namespace

std::string stats_event(const std::string& id, const Usage& usage,
                        const std::optional<container::RdtUsage>& rdt) {
  Writer out;
  out.out().begin_object();
  out.event("stats", id);
  out.object("data", [&] { write_usage(out, usage, rdt); });
  out.out().end_object();
  return out.out().take();
}

std::string oom_event(const std::string& id) {
  Writer out;
  out.out().begin_object();
  out.event("oom", id);
  out.out().end_object();
  return out.out().take();
}

}  // namespace berth::runtime
