// Ending: waiting for killed processes. pidfd_open(2).
#pragma once

#include <chrono>

#include "base/result.h"

namespace berth::container {

/// How long what was killed may take to end. Freeing the memory of a large process takes the kernel
/// a second or two; what takes longer is stuck in a call that cannot be interrupted ("D" in ps(1)),
/// and nothing but the reason it is stuck will end it.
inline constexpr std::chrono::seconds kKillDeadline{10};

using Deadline = std::chrono::steady_clock::time_point;
inline Deadline kill_deadline() {
  return std::chrono::steady_clock::now() + kKillDeadline;
}

/// Milliseconds left for poll(2), rounded up; 0: it has passed.
int milliseconds_left(Deadline deadline);

/// Until the process behind `pidfd`, which was killed, has ended. kConflict: it has not, in time.
Result<void> wait_until_ended(int pidfd, Deadline deadline);

}  // namespace berth::container
