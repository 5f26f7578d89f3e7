// The id maps of a new user namespace: user_namespaces(7). Root writes them. A user without
// privileges may map one id, its own; several only by newuidmap(1) and newgidmap(1), which know
// from subuid(5) and subgid(5) what is the user's.
#pragma once

#include <sys/types.h>

#include <vector>

#include "base/result.h"
#include "container/spec/spec.h"

namespace berth::container {

/// Of the namespace that the process `pid` is in, whose files in /proc are the caller's.
Result<void> write_id_maps(pid_t pid, const std::vector<IdMapping>& uids,
                           const std::vector<IdMapping>& gids);

}  // namespace berth::container
