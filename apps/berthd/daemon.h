// The daemon: an engine, the API in front of it, and the sockets where it answers.
#pragma once

#include "base/result.h"
#include "berthd/options.h"

namespace berth::daemon {

/// Runs until SIGTERM or SIGINT. Workloads live on. kConflict: the root or a socket is another
/// daemon's.
Result<void> run(Options options);

/// Takes the bridge and the firewall table of this engine off the host. kConflict: the engine runs.
Result<void> teardown(const Options& options);

}  // namespace berth::daemon
