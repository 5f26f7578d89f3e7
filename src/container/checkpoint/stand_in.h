// StandIn: a process that does nothing but be there. A scope of systemd begins around a process and
// ends with its last one, and criu must be born inside it: until it is, this one holds the scope.
#pragma once

#include <sys/types.h>

#include "base/result.h"
#include "base/unique_fd.h"

namespace berth::container {

class StandIn {
 public:
  /// It goes with the object, or with the calling thread (PR_SET_PDEATHSIG). Errors: clone3(2)'s.
  static Result<StandIn> start();
  StandIn(StandIn&&) = default;
  StandIn& operator=(StandIn&&) = delete;
  ~StandIn();

  pid_t pid() const { return pid_; }

 private:
  StandIn(pid_t pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}

  pid_t pid_;
  UniqueFd pidfd_;
};

}  // namespace berth::container
