// Ps: the host's ps(1), for `berth-runtime ps`.
#pragma once

#include <span>
#include <string>

#include "base/result.h"

namespace berth::runtime {

/// What `ps options` prints. kNotFound: the host has no ps; kInvalid: it failed, the text has what
/// it said.
Result<std::string> run_ps(std::span<const std::string> options);

/// In the child: becomes ps, whose output and errors go to `output`. Async-signal-safe but for the
/// search of PATH; the caller has one thread.
[[noreturn]] void exec_ps(char* const* argv, int output);

inline constexpr int kNoPs = 127;

}  // namespace berth::runtime
