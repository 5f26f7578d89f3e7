// Signals: their names, as `kill` is given them. signal(7).
#pragma once

#include <string>

#include "base/result.h"

namespace berth::runtime {

/// "TERM", "sigterm", "15", "RTMIN+1", "SIGRTMAX-3"; 0 sends nothing and tells whether there is
/// somebody. kInvalid: no signal.
Result<int> parse_signal(const std::string& text);

}  // namespace berth::runtime
