// The processes of a workload, for `top`: read from /proc, those in the pid namespace of its init.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"

namespace berth::docker {

/// One process, as the columns of `ps -ef`: UID PID PPID C STIME TTY TIME CMD, with ids as the host
/// sees them.
using ProcessRow = std::vector<std::string>;

extern const std::vector<std::string> kProcessTitles;

/// Blocks for as long as it takes to read /proc. kNotFound: `init` has ended.
Result<std::vector<ProcessRow>> processes_of(pid_t init);

}  // namespace berth::docker
