// What the parent writes into a process's directory of /proc, since the process itself may not.
#pragma once

#include <sys/types.h>

#include <string_view>

#include "base/result.h"

namespace berth::container {

/// One write(2) to /proc/<pid>/<file>, of the host's /proc.
Result<void> write_proc(pid_t pid, const char* file, std::string_view text);

}  // namespace berth::container
