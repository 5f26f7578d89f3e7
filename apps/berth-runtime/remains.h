// What is left of a container when its processes have ended: cgroups, poststop hooks, the record.
#pragma once

#include "base/result.h"
#include "berth-runtime/store.h"

namespace berth::runtime {

/// Ends what is left in its cgroups and removes them, runs the poststop hooks, forgets it. A hook
/// that fails is logged.
Result<void> remove_remains(const Store& store, const Record& record);

}  // namespace berth::runtime
