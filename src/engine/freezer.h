// Frozen: the processes of a running workload stand still as long as this object lives. What keeps
// them is the kernel: should the engine die meanwhile, the next one finds them standing, and
// thaw_left_over() lets them go on. Calls block, for as long as the kernel needs to stop everyone.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "container/cgroup/manager.h"

namespace berth::engine {

class Frozen {
 public:
  /// `run_dir`: of a workload's run, with the holder's started.json. kNotFound: it does not run any
  /// more. kConflict: a process does not stop.
  static Result<Frozen> freeze(const std::string& run_dir);
  Frozen(Frozen&&) noexcept = default;
  Frozen& operator=(Frozen&&) noexcept = delete;
  ~Frozen();

 private:
  explicit Frozen(std::unique_ptr<container::CgroupManager> cgroups)
      : cgroups_(std::move(cgroups)) {}
  std::unique_ptr<container::CgroupManager> cgroups_;
};

/// Lets what an engine that died had frozen go on. What fails is in the log.
void thaw_left_over(const std::string& run_dir);

}  // namespace berth::engine
