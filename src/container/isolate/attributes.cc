#include "container/isolate/attributes.h"

#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <sys/personality.h>
#include <sys/stat.h>

#include <array>
#include <utility>

#include "container/spec/names.h"
#include "container/spec/number_list.h"
#include "sys/file.h"

namespace berth::container {
namespace {

// In the order of the enumerators: linux/sched.h, linux/ioprio.h, linux/mempolicy.h.
constexpr auto kPolicies = std::to_array<std::uint32_t>({0, 1, 2, 3, 4, 5, 6});
constexpr auto kSchedulerFlags =
    std::to_array<std::uint64_t>({0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40});
constexpr auto kIoClasses =
    std::to_array<int>({IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE});
constexpr auto kPersonalities = std::to_array<unsigned long>({PER_LINUX, PER_LINUX32});
// Newer than this libc's headers: MPOL_PREFERRED_MANY (5.15), MPOL_WEIGHTED_INTERLEAVE (6.9).
constexpr auto kMemoryModes = std::to_array<int>(
    {MPOL_DEFAULT, MPOL_PREFERRED, MPOL_BIND, MPOL_INTERLEAVE, MPOL_LOCAL, 5, 6});
constexpr auto kMemoryFlags =
    std::to_array<int>({MPOL_F_STATIC_NODES, MPOL_F_RELATIVE_NODES, MPOL_F_NUMA_BALANCING});

static_assert(kPolicies.size() == kSchedulerPolicyNames.size());
static_assert(kSchedulerFlags.size() == kSchedulerFlagNames.size());
static_assert(kIoClasses.size() == kIoPriorityClassNames.size());
static_assert(kPersonalities.size() == kPersonalityDomainNames.size());
static_assert(kMemoryModes.size() == kMemoryPolicyModeNames.size());
static_assert(kMemoryFlags.size() == kMemoryPolicyFlagNames.size());

SchedulerAttributes scheduler_of(const Scheduler& spec) {
  SchedulerAttributes attributes{.policy = kPolicies[std::to_underlying(spec.policy)],
                                 .nice = spec.nice,
                                 .priority = static_cast<std::uint32_t>(spec.priority),
                                 .runtime = spec.runtime,
                                 .deadline = spec.deadline,
                                 .period = spec.period};
  for (const SchedulerFlag flag : spec.flags)
    attributes.flags |= kSchedulerFlags[std::to_underlying(flag)];
  return attributes;
}

MemoryPolicyPlan memory_policy_of(const MemoryPolicy& spec) {
  MemoryPolicyPlan plan{.mode = kMemoryModes[std::to_underlying(spec.mode)],
                        .nodes = *parse_number_list(spec.nodes)};
  for (const MemoryPolicyFlag flag : spec.flags)
    plan.mode |= kMemoryFlags[std::to_underlying(flag)];
  return plan;
}

}  // namespace

SecurityModules security_modules() {
  SecurityModules modules;
  const auto enabled = sys::read_file("/sys/module/apparmor/parameters/enabled");
  modules.apparmor = enabled.ok() && enabled->starts_with('Y');
  // The kernel makes this directory when SELinux starts, whether or not it is mounted on.
  struct stat found = {};
  modules.selinux = ::stat("/sys/fs/selinux", &found) == 0;
  return modules;
}

Result<AttributesPlan> plan_attributes(const Spec& spec, const SecurityModules& modules) {
  AttributesPlan plan;
  const Process& process = spec.process;
  if (process.scheduler) plan.scheduler = scheduler_of(*process.scheduler);
  if (process.io_priority)
    plan.io_priority =
        IOPRIO_PRIO_VALUE(kIoClasses[std::to_underlying(process.io_priority->io_class)],
                          process.io_priority->priority);
  if (spec.linux_.personality)
    plan.personality = kPersonalities[std::to_underlying(spec.linux_.personality->domain)];
  if (process.exec_cpu_affinity) {
    plan.initial_cpus = *parse_number_list(process.exec_cpu_affinity->initial);
    plan.final_cpus = *parse_number_list(process.exec_cpu_affinity->final);
  }
  if (spec.linux_.memory_policy) plan.memory_policy = memory_policy_of(*spec.linux_.memory_policy);
  const std::string& profile = process.apparmor_profile;
  if (modules.apparmor && !profile.empty()) plan.apparmor = "exec " + profile;
  if (!modules.apparmor && !profile.empty() && profile != "unconfined")
    return fail(ErrorKind::kUnsupported,
                "process.apparmorProfile is '{}', but AppArmor is not enabled on this host: leave "
                "it out, or use 'unconfined'",
                profile);
  plan.selinux = process.selinux_label;
  for (const auto& [field, label] : {std::pair{"process.selinuxLabel", &process.selinux_label},
                                     std::pair{"linux.mountLabel", &spec.linux_.mount_label}})
    if (!modules.selinux && !label->empty())
      return fail(ErrorKind::kUnsupported,
                  "{} is '{}', but SELinux is not enabled on this host: leave it out", field,
                  *label);
  return plan;
}

}  // namespace berth::container
