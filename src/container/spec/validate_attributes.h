// The part of validate() that is about a process's attributes: scheduling, memory, labels.
#pragma once

#include "base/result.h"
#include "container/spec/spec.h"

namespace berth::container {

/// kInvalid names the field.
Result<void> check_attributes(const Process& process);
Result<void> check_attributes(const Linux& section);
Result<void> check_attributes(const IntelRdt& rdt);

}  // namespace berth::container
