// The two halves of exec.h: what the parent prepares, and the child that reads it.
#pragma once

#include <cstdint>

#include "container/isolate/namespaces.h"
#include "container/runtime/workload.h"

namespace berth::container {

struct ExecPlan : WorkloadPlan {
  int init = -1;                 // pidfd; borrowed
  int root = -1;                 // what "/" is to be, if no namespace says it; borrowed
  std::uint64_t namespaces = 0;  // CLONE_NEW* of those to join
  Descriptors entrances;         // CgroupManager::entrances(); borrowed
  /// Whoever has no right to join the pid namespace but as root of the container's user namespace
  /// joins that first; then only its child is inside, which takes its place.
  bool twice = false;
};

/// Joins the container, executes. Never returns.
[[noreturn]] void run_joiner(ExecPlan& plan, int channel);

}  // namespace berth::container
