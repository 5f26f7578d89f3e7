// Update: other limits for a container that lives. Either all of them hold afterwards or none does:
// what a file held before is written back if a later one fails.
#pragma once

#include "base/result.h"
#include "container/cgroup/manager.h"
#include "container/spec/spec.h"

namespace berth::container {

/// Changes what `resources` gives and nothing else; device rules in it are left out, as for runc.
/// kUnsupported: the host lacks a controller or a file; kInvalid, kConflict: the kernel refuses a
/// value, or memory.checkBeforeUpdate does. The text names the limit.
Result<void> update_cgroups(CgroupManager& manager, Resources resources);

}  // namespace berth::container
