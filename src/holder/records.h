// Writing started.json, which protocol.h describes; the record of the end is exit_record.h.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"
#include "holder/protocol.h"

namespace berth::holder {

/// Replaces started.json in the directory `run_dir`, whole but not on disk yet.
Result<void> write_started_record(const std::string& run_dir, const StartedRecord& record);

/// Field 22 of /proc/PID/stat, proc(5): when the process started. kNotFound: there is none.
Result<std::string> process_start_time(pid_t pid);

}  // namespace berth::holder
