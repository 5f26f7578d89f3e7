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

}  // namespace berth::container
