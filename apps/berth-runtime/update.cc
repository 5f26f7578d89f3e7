// berth-runtime update [flags] <id>: other limits for a container that lives.
#include "container/cgroup/update.h"

#include <unistd.h>

#include <charconv>

#include "base/log.h"
#include "berth-runtime/launch.h"
#include "berth-runtime/quantities.h"
#include "container/resctrl/groups.h"
#include "container/resctrl/schemata.h"
#include "container/spec/validate_attributes.h"
#include "container/systemd/cgroups.h"
#include "sys/file.h"

namespace berth::runtime {
namespace {

/// What the command line said, as text; empty: nothing.
struct Texts {
  std::string blkio_weight, cpu_burst, cpu_idle, cpu_period, cpu_quota, cpu_rt_period,
      cpu_rt_runtime, cpu_share, cpuset_cpus, cpuset_mems, kernel_memory, kernel_memory_tcp,
      l3_cache_schema, mem_bw_schema, memory, memory_reservation, memory_swap, pids_limit,
      resources;
};

void add_flags(Flags& flags, Texts& texts) {
  flags.add("blkio-weight", 0, &texts.blkio_weight);
  flags.add("cpu-burst", 0, &texts.cpu_burst);
  flags.add("cpu-idle", 0, &texts.cpu_idle);
  flags.add("cpu-period", 0, &texts.cpu_period);
  flags.add("cpu-quota", 0, &texts.cpu_quota);
  flags.add("cpu-rt-period", 0, &texts.cpu_rt_period);
  flags.add("cpu-rt-runtime", 0, &texts.cpu_rt_runtime);
  flags.add("cpu-share", 0, &texts.cpu_share);
  flags.add("cpuset-cpus", 0, &texts.cpuset_cpus);
  flags.add("cpuset-mems", 0, &texts.cpuset_mems);
  flags.add("kernel-memory", 0, &texts.kernel_memory);
  flags.add("kernel-memory-tcp", 0, &texts.kernel_memory_tcp);
  flags.add("l3-cache-schema", 0, &texts.l3_cache_schema);
  flags.add("mem-bw-schema", 0, &texts.mem_bw_schema);
  flags.add("memory", 0, &texts.memory);
  flags.add("memory-reservation", 0, &texts.memory_reservation);
  flags.add("memory-swap", 0, &texts.memory_swap);
  flags.add("pids-limit", 0, &texts.pids_limit);
  flags.add("resources", 'r', &texts.resources);
}

template <typename Int>
Result<void> set_number(std::string_view flag, const std::string& text, std::optional<Int>& value) {
  if (text.empty()) return {};
  Int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    return fail(ErrorKind::kInvalid, "invalid value for {}: '{}' is no such number", flag, text);
  value = number;
  return {};
}

Result<void> set_size(std::string_view flag, const std::string& text,
                      std::optional<std::int64_t>& value) {
  if (text.empty()) return {};
  value = parse_size(text);
  if (value) return {};
  return fail(ErrorKind::kInvalid, "invalid value for {}: invalid size: '{}'", flag, text);
}

Result<container::Resources> from_flags(const Texts& texts) {
  container::Resources resources;
  TRY(set_size("memory", texts.memory, resources.memory.limit));
  TRY(set_size("memory-reservation", texts.memory_reservation, resources.memory.reservation));
  TRY(set_size("memory-swap", texts.memory_swap, resources.memory.swap));
  container::CpuResources& cpu = resources.cpu;
  TRY(set_number("cpu-burst", texts.cpu_burst, cpu.burst));
  TRY(set_number("cpu-idle", texts.cpu_idle, cpu.idle));
  TRY(set_number("cpu-period", texts.cpu_period, cpu.period));
  TRY(set_number("cpu-quota", texts.cpu_quota, cpu.quota));
  TRY(set_number("cpu-rt-period", texts.cpu_rt_period, cpu.realtime_period));
  TRY(set_number("cpu-rt-runtime", texts.cpu_rt_runtime, cpu.realtime_runtime));
  TRY(set_number("cpu-share", texts.cpu_share, cpu.shares));
  cpu.cpus = texts.cpuset_cpus;
  cpu.mems = texts.cpuset_mems;
  TRY(set_number("blkio-weight", texts.blkio_weight, resources.block_io.weight));
  TRY(set_number("pids-limit", texts.pids_limit, resources.pids.limit));
  return resources;
}

// As runc: a file is all that counts then.
Result<container::Resources> from_file(const std::string& path) {
  const std::string text = TRY(path == "-" ? sys::read_all(STDIN_FILENO, container::kMaxSpecBytes)
                                           : sys::read_file(path, container::kMaxSpecBytes));
  return container::parse_resources(text).context(path);
}

void warn_of_ignored(const Texts& texts) {
  if (!texts.kernel_memory.empty() || !texts.kernel_memory_tcp.empty())
    log::warning("Kernel memory settings are ignored and will be removed");
}

// What the class is to become, and where it is; nothing if no flag speaks of it.
struct RdtUpdate {
  container::RdtGroups groups;
  std::vector<std::string> lines;
};

Result<std::optional<RdtUpdate>> plan_rdt(const Texts& texts, const Store& store,
                                          const std::string& id) {
  container::IntelRdt changed;
  changed.l3_cache_schema = texts.l3_cache_schema;
  changed.mem_bw_schema = texts.mem_bw_schema;
  auto lines = container::schemata_lines(changed);
  if (lines.empty()) return std::optional<RdtUpdate>();
  const container::Spec spec = TRY(store.spec(id));
  if (!spec.linux_.intel_rdt)
    return fail(ErrorKind::kInvalid,
                "--l3-cache-schema and --mem-bw-schema need a container with linux.intelRdt");
  changed.clos_id = spec.linux_.intel_rdt->clos_id;
  TRY(container::check_attributes(changed));
  return std::optional(
      RdtUpdate{.groups = container::RdtGroups(changed, id, TRY(container::find_resctrl())),
                .lines = std::move(lines)});
}

}  // namespace

Result<int> update(const Globals& globals, Words words) {
  Texts texts;
  Flags flags;
  add_flags(flags, texts);
  const std::string id = TRY(single_id(TRY(flags.parse(words)), "update"));
  const Store store(globals.root);
  const Record record = TRY(store.load(id));
  warn_of_ignored(texts);
  const auto resources =
      TRY(texts.resources.empty() ? from_flags(texts) : from_file(texts.resources));
  switch (store.status(record)) {
    case Status::kCreating:
      return fail(ErrorKind::kConflict, "cannot update a container that is still being created");
    case Status::kStopped:
      return fail(ErrorKind::kConflict, "container not running");
    default:
      break;
  }
  // What can be known to be wrong is, before anything changes.
  const auto rdt = TRY(plan_rdt(texts, store, id));
  const auto cgroups = TRY(container::adopt_cgroups_of(record.unit, record.cgroups));
  TRY(container::update_cgroups(*cgroups, resources));
  if (rdt) TRY(rdt->groups.write_schemata(rdt->lines));
  return 0;
}

}  // namespace berth::runtime
