// What the prune verbs have in common: they ask first, and tell how much room is free again.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace berth::cli {

/// Asks on standard output whether to do `what`, and reads the answer from standard input.
/// kConflict unless it is a yes.
Result<void> ask_before(std::string_view what);

/// The last line: the "SpaceReclaimed" of the engine's answer.
Result<void> print_reclaimed(const Json& answer);

}  // namespace berth::cli
