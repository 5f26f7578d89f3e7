// Names: the specification's words for the enums of spec.h, as tables.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "container/spec/spec.h"

namespace berth::container {

template <typename Enum>
struct Named {
  std::string_view name;
  Enum value;
};

inline constexpr std::array<Named<NamespaceType>, 8> kNamespaceNames = {{
    {"mount", NamespaceType::kMount},
    {"pid", NamespaceType::kPid},
    {"network", NamespaceType::kNetwork},
    {"uts", NamespaceType::kUts},
    {"ipc", NamespaceType::kIpc},
    {"user", NamespaceType::kUser},
    {"cgroup", NamespaceType::kCgroup},
    {"time", NamespaceType::kTime},
}};

/// Where two names share a value, the first is the one that is written.
inline constexpr std::array<Named<SeccompAction>, 9> kSeccompActionNames = {{
    {"SCMP_ACT_KILL", SeccompAction::kKillThread},
    {"SCMP_ACT_KILL_THREAD", SeccompAction::kKillThread},
    {"SCMP_ACT_KILL_PROCESS", SeccompAction::kKillProcess},
    {"SCMP_ACT_TRAP", SeccompAction::kTrap},
    {"SCMP_ACT_ERRNO", SeccompAction::kErrno},
    {"SCMP_ACT_TRACE", SeccompAction::kTrace},
    {"SCMP_ACT_ALLOW", SeccompAction::kAllow},
    {"SCMP_ACT_LOG", SeccompAction::kLog},
    {"SCMP_ACT_NOTIFY", SeccompAction::kNotify},
}};

inline constexpr std::array<Named<SeccompOperator>, 7> kSeccompOperatorNames = {{
    {"SCMP_CMP_NE", SeccompOperator::kNe},
    {"SCMP_CMP_LT", SeccompOperator::kLt},
    {"SCMP_CMP_LE", SeccompOperator::kLe},
    {"SCMP_CMP_EQ", SeccompOperator::kEq},
    {"SCMP_CMP_GE", SeccompOperator::kGe},
    {"SCMP_CMP_GT", SeccompOperator::kGt},
    {"SCMP_CMP_MASKED_EQ", SeccompOperator::kMaskedEq},
}};

// The order is that of the kernel's numbers: linux/sched.h, linux/ioprio.h, linux/mempolicy.h.
inline constexpr std::array<Named<SchedulerPolicy>, 7> kSchedulerPolicyNames = {{
    {"SCHED_OTHER", SchedulerPolicy::kOther},
    {"SCHED_FIFO", SchedulerPolicy::kFifo},
    {"SCHED_RR", SchedulerPolicy::kRoundRobin},
    {"SCHED_BATCH", SchedulerPolicy::kBatch},
    {"SCHED_ISO", SchedulerPolicy::kIso},
    {"SCHED_IDLE", SchedulerPolicy::kIdle},
    {"SCHED_DEADLINE", SchedulerPolicy::kDeadline},
}};

inline constexpr std::array<Named<SchedulerFlag>, 7> kSchedulerFlagNames = {{
    {"SCHED_FLAG_RESET_ON_FORK", SchedulerFlag::kResetOnFork},
    {"SCHED_FLAG_RECLAIM", SchedulerFlag::kReclaim},
    {"SCHED_FLAG_DL_OVERRUN", SchedulerFlag::kDeadlineOverrun},
    {"SCHED_FLAG_KEEP_POLICY", SchedulerFlag::kKeepPolicy},
    {"SCHED_FLAG_KEEP_PARAMS", SchedulerFlag::kKeepParams},
    {"SCHED_FLAG_UTIL_CLAMP_MIN", SchedulerFlag::kUtilClampMin},
    {"SCHED_FLAG_UTIL_CLAMP_MAX", SchedulerFlag::kUtilClampMax},
}};

inline constexpr std::array<Named<IoPriorityClass>, 3> kIoPriorityClassNames = {{
    {"IOPRIO_CLASS_RT", IoPriorityClass::kRealtime},
    {"IOPRIO_CLASS_BE", IoPriorityClass::kBestEffort},
    {"IOPRIO_CLASS_IDLE", IoPriorityClass::kIdle},
}};

inline constexpr std::array<Named<PersonalityDomain>, 2> kPersonalityDomainNames = {{
    {"LINUX", PersonalityDomain::kLinux},
    {"LINUX32", PersonalityDomain::kLinux32},
}};

inline constexpr std::array<Named<MemoryPolicyMode>, 7> kMemoryPolicyModeNames = {{
    {"MPOL_DEFAULT", MemoryPolicyMode::kDefault},
    {"MPOL_PREFERRED", MemoryPolicyMode::kPreferred},
    {"MPOL_BIND", MemoryPolicyMode::kBind},
    {"MPOL_INTERLEAVE", MemoryPolicyMode::kInterleave},
    {"MPOL_LOCAL", MemoryPolicyMode::kLocal},
    {"MPOL_PREFERRED_MANY", MemoryPolicyMode::kPreferredMany},
    {"MPOL_WEIGHTED_INTERLEAVE", MemoryPolicyMode::kWeightedInterleave},
}};

inline constexpr std::array<Named<MemoryPolicyFlag>, 3> kMemoryPolicyFlagNames = {{
    {"MPOL_F_STATIC_NODES", MemoryPolicyFlag::kStaticNodes},
    {"MPOL_F_RELATIVE_NODES", MemoryPolicyFlag::kRelativeNodes},
    {"MPOL_F_NUMA_BALANCING", MemoryPolicyFlag::kNumaBalancing},
}};

// The table that belongs to an enum, found by argument-dependent lookup.
constexpr std::span<const Named<NamespaceType>> names_of(NamespaceType) {
  return kNamespaceNames;
}
constexpr std::span<const Named<SeccompAction>> names_of(SeccompAction) {
  return kSeccompActionNames;
}
constexpr std::span<const Named<SeccompOperator>> names_of(SeccompOperator) {
  return kSeccompOperatorNames;
}
constexpr std::span<const Named<SchedulerPolicy>> names_of(SchedulerPolicy) {
  return kSchedulerPolicyNames;
}
constexpr std::span<const Named<SchedulerFlag>> names_of(SchedulerFlag) {
  return kSchedulerFlagNames;
}
constexpr std::span<const Named<IoPriorityClass>> names_of(IoPriorityClass) {
  return kIoPriorityClassNames;
}
constexpr std::span<const Named<PersonalityDomain>> names_of(PersonalityDomain) {
  return kPersonalityDomainNames;
}
constexpr std::span<const Named<MemoryPolicyMode>> names_of(MemoryPolicyMode) {
  return kMemoryPolicyModeNames;
}
constexpr std::span<const Named<MemoryPolicyFlag>> names_of(MemoryPolicyFlag) {
  return kMemoryPolicyFlagNames;
}

template <typename Enum>
constexpr std::string_view name_of(Enum value) {
  for (const auto& row : names_of(Enum{}))
    if (row.value == value) return row.name;
  return {};
}

template <typename Enum>
constexpr std::optional<Enum> value_of(std::string_view name) {
  for (const auto& row : names_of(Enum{}))
    if (row.name == name) return row.value;
  return std::nullopt;
}

}  // namespace berth::container
