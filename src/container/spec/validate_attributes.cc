#include "container/spec/validate_attributes.h"

#include <algorithm>

#include "container/spec/names.h"
#include "container/spec/number_list.h"

namespace berth::container {
namespace {

// sched(7), setpriority(2), ioprio_set(2).
constexpr int kLowestNice = -20;
constexpr int kHighestNice = 19;
constexpr int kHighestRealtime = 99;
constexpr int kLowestIoPriority = 7;

Result<void> check_scheduler(const Scheduler& scheduler) {
  const SchedulerPolicy policy = scheduler.policy;
  const bool realtime = policy == SchedulerPolicy::kFifo || policy == SchedulerPolicy::kRoundRobin;
  const bool deadline = policy == SchedulerPolicy::kDeadline;
  if (scheduler.nice < kLowestNice || scheduler.nice > kHighestNice)
    return fail(ErrorKind::kInvalid, "process.scheduler.nice must be from {} to {}, not {}",
                kLowestNice, kHighestNice, scheduler.nice);
  if (!realtime && scheduler.priority != 0)
    return fail(ErrorKind::kInvalid,
                "process.scheduler.priority is for SCHED_FIFO and SCHED_RR, not for {}",
                name_of(policy));
  if (realtime && (scheduler.priority < 1 || scheduler.priority > kHighestRealtime))
    return fail(ErrorKind::kInvalid, "process.scheduler.priority must be from 1 to {} for {}",
                kHighestRealtime, name_of(policy));
  if (!deadline && (scheduler.runtime != 0 || scheduler.deadline != 0 || scheduler.period != 0))
    return fail(
        ErrorKind::kInvalid,
        "process.scheduler: runtime, deadline and period are for SCHED_DEADLINE, not for {}",
        name_of(policy));
  return {};
}

Result<void> check_list(const char* field, const std::string& list) {
  if (parse_number_list(list)) return {};
  return fail(ErrorKind::kInvalid, "{} must be a list like 0-3,7, not '{}'", field, list);
}

bool is_line(const std::string& text) {
  return text.find_first_of(std::string_view("\n\0", 2)) == std::string::npos;
}

// What the kernel has in each directory of a class has no room for a class of that name.
bool is_clos_id(const std::string& id) {
  if (id == "/" || id.empty()) return true;
  return id.find('/') == std::string::npos && is_line(id) && id != "." && id != ".." &&
         id != "info" && id != "mon_groups" && id != "mon_data";
}

}  // namespace

Result<void> check_attributes(const Process& process) {
  if (process.scheduler) TRY(check_scheduler(*process.scheduler));
  if (process.io_priority &&
      (process.io_priority->priority < 0 || process.io_priority->priority > kLowestIoPriority))
    return fail(ErrorKind::kInvalid, "process.ioPriority.priority must be from 0 to {}, not {}",
                kLowestIoPriority, process.io_priority->priority);
  if (process.exec_cpu_affinity) {
    TRY(check_list("process.execCPUAffinity.initial", process.exec_cpu_affinity->initial));
    TRY(check_list("process.execCPUAffinity.final", process.exec_cpu_affinity->final));
  }
  return {};
}

Result<void> check_attributes(const Linux& section) {
  if (section.personality && !section.personality->flags.empty())
    return fail(ErrorKind::kInvalid, "linux.personality.flags: '{}' is not known: there are none",
                section.personality->flags[0]);
  if (section.intel_rdt) TRY(check_attributes(*section.intel_rdt));
  if (!section.memory_policy) return {};
  const MemoryPolicy& policy = *section.memory_policy;
  TRY(check_list("linux.memoryPolicy.nodes", policy.nodes));
  // set_mempolicy(2): these two take no nodes, MPOL_PREFERRED may, the others have to have some.
  const bool nowhere =
      policy.mode == MemoryPolicyMode::kDefault || policy.mode == MemoryPolicyMode::kLocal;
  if (nowhere && !policy.nodes.empty())
    return fail(ErrorKind::kInvalid, "linux.memoryPolicy.nodes must be left out with {}",
                name_of(policy.mode));
  if (!nowhere && policy.mode != MemoryPolicyMode::kPreferred && policy.nodes.empty())
    return fail(ErrorKind::kInvalid, "linux.memoryPolicy.nodes must be given with {}",
                name_of(policy.mode));
  return {};
}

// config-linux.md, "IntelRdt".
Result<void> check_attributes(const IntelRdt& rdt) {
  if (!is_clos_id(rdt.clos_id))
    return fail(ErrorKind::kInvalid,
                "linux.intelRdt.closID must be the name of a directory, or \"/\", not '{}'",
                rdt.clos_id);
  if (!rdt.mem_bw_schema.empty() && !rdt.mem_bw_schema.starts_with("MB:"))
    return fail(ErrorKind::kInvalid, "linux.intelRdt.memBwSchema must start with MB:, not be '{}'",
                rdt.mem_bw_schema);
  const bool lines = is_line(rdt.l3_cache_schema) && is_line(rdt.mem_bw_schema) &&
                     std::ranges::all_of(rdt.schemata, is_line);
  if (!lines)
    return fail(ErrorKind::kInvalid, "linux.intelRdt: a schema is one line, without line breaks");
  return {};
}

}  // namespace berth::container
