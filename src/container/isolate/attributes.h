// Attributes: what the kernel keeps of a process apart from who it is: scheduling, I/O priority,
// personality, memory policy, and the labels that a security module gives to what it executes.
// sched_setattr(2), ioprio_set(2), personality(2), set_mempolicy(2), proc_pid_attr(5).
//
// All are kept by exec, so that they are set while the process still has the rights for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "container/isolate/child.h"
#include "container/spec/spec.h"

namespace berth::container {

/// The kernel's struct sched_attr with the clamps of Linux 5.3, which libc has not.
struct SchedulerAttributes {
  std::uint32_t size = sizeof(SchedulerAttributes);
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0;
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
  std::uint32_t clamp_min = 0;
  std::uint32_t clamp_max = 0;
};

struct MemoryPolicyPlan {
  int mode = 0;                      // and flags
  std::vector<unsigned long> nodes;  // bit n is node n
};

struct AttributesPlan {
  std::optional<SchedulerAttributes> scheduler;
  std::optional<int> io_priority;
  std::optional<unsigned long> personality;
  std::optional<MemoryPolicyPlan> memory_policy;
  /// What is written to attr/exec for each of the modules; empty: nothing.
  std::string apparmor;
  std::string selinux;
  // Bit n is CPU n; for processes that join: enter_affinity().
  std::vector<unsigned long> initial_cpus;
  std::vector<unsigned long> final_cpus;
};

/// Which of the security modules the kernel runs.
struct SecurityModules {
  bool apparmor = false;
  bool selinux = false;
};
SecurityModules security_modules();

/// kUnsupported: a label of a security module that this host does not have.
Result<AttributesPlan> plan_attributes(const Spec& spec, const SecurityModules& modules);
/// The labels of what the calling process executes, while /proc is the host's and the files there
/// that speak of this process are its own: before it enters a user namespace or changes its ids.
bool enter_labels(Child& child, const AttributesPlan& plan);
/// The others, once it is in its cgroups and before it changes its ids.
bool enter_attributes(Child& child, const AttributesPlan& plan);
/// Where a process that joins may run, before and after it enters the container's cgroups; an
/// empty mask changes nothing.
bool enter_affinity(Child& child, const std::vector<unsigned long>& cpus);

}  // namespace berth::container
