// What the parent checks and gives for a process that it cannot take, or should not look for,
// itself.
#pragma once

#include <sys/types.h>

#include "base/result.h"
#include "container/isolate/identity.h"
#include "container/spec/spec.h"

namespace berth::container {

/// Before anything is opened: a descriptor that is closed now would come to mean something of the
/// runtime's own. kInvalid names it.
Result<void> check_streams(const int (&stdio)[3], unsigned preserved_fds);

Result<void> grant_oom_score(pid_t pid, const Process& process);
/// Inside a user namespace a process has no right to raise a hard limit.
Result<void> grant_hard_limits(pid_t pid, const IdentityPlan& identity);

}  // namespace berth::container
