// Writing the two files that protocol.h describes, exit.json and started.json.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"
#include "holder/protocol.h"

namespace berth::holder {

/// Replaces exit.json in the directory `state_dir`; it is on disk when this returns.
Result<void> write_exit_record(int state_dir, const Exited& exited);
/// No run's end is recorded any more.
Result<void> remove_exit_record(int state_dir);

/// Replaces started.json in the directory `run_dir`, whole but not on disk yet.
Result<void> write_started_record(const std::string& run_dir, const StartedRecord& record);

/// Field 22 of /proc/PID/stat, proc(5): when the process started. kNotFound: there is none.
Result<std::string> process_start_time(pid_t pid);

}  // namespace berth::holder
