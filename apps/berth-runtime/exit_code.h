// Exit codes of berth-runtime itself: 0, 1 for every failure, and the shell's two where the
// workload's program is the reason.
#pragma once

#include "base/error.h"
#include "berth-runtime/report.h"

namespace berth::runtime {

inline constexpr int kExitFailure = 1;
inline constexpr int kExitNotExecutable = 126;
inline constexpr int kExitNotFound = 127;

/// Tells why the workload did not exec and returns the code for it.
inline int start_failed(const Error& error) {
  report(error);
  if (error.kind() == ErrorKind::kNotFound) return kExitNotFound;
  return error.kind() == ErrorKind::kPermission ? kExitNotExecutable : kExitFailure;
}

}  // namespace berth::runtime
