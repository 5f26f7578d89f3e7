// The engine's way to its holders: start one, or find one that an earlier engine started. Calls
// block; thread-safe.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace berth::holder {

struct Spawned {
  UniqueFd socket;  // control channel, SOCK_SEQPACKET, blocking
  pid_t pid = 0;
};

/// Starts `program` in a session of its own: it does not end with the caller. The workload's id is
/// its argument, for ps(1). It inherits no descriptor but its end of the channel, and says Hello
/// first. It is the caller's child: let SIGCHLD be ignored (SA_NOCLDWAIT), or reap it.
Result<Spawned> spawn_holder(const std::string& program, const std::string& id,
                             const std::string& run_dir);

/// Connects to the holder whose run directory is `run_dir`. kNotFound or kConflict: none listens
/// there any more.
Result<UniqueFd> connect_holder(const std::string& run_dir);

}  // namespace berth::holder
