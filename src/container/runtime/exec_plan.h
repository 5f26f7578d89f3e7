// The two halves of exec.h: what the parent prepares, and the child that reads it.
#pragma once

#include <cstdint>

#include "container/isolate/namespaces.h"
#include "container/runtime/workload.h"

namespace berth::container {

struct ExecPlan : WorkloadPlan {
  int init = -1;                 // pidfd; borrowed
  std::uint64_t namespaces = 0;  // CLONE_NEW* of those to join
  Descriptors entrances;         // CgroupManager::entrances(); borrowed
};

/// Joins the container, executes. Never returns.
[[noreturn]] void run_joiner(ExecPlan& plan, int channel);

}  // namespace berth::container
