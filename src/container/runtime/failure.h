// Turns what init was doing when it failed into a sentence that names the thing.
#pragma once

#include "base/error.h"
#include "container/isolate/child.h"
#include "container/runtime/init.h"

namespace berth::container {

/// A failure before "created": the plan knows the names.
Error describe_failure(const Failure& failure, const InitPlan& plan);
/// A failure of a process that joins. kNotFound, kPermission: the program, or something on the way.
Error describe_failure(const Failure& failure, const WorkloadPlan& plan);
/// A failure after the word to start, told to whoever gave it. kNotFound, kPermission: the program.
Error describe_start_failure(const Failure& failure, const std::string& program);

}  // namespace berth::container
