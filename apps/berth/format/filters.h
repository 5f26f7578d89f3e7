// --filter key=value, as the "filters" of the engine's queries: {"status":{"running":true}}.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace berth::cli {

/// Empty if there are none. kInvalid: a filter without "=".
Result<std::string> query_filters(const std::vector<std::string>& filters);

}  // namespace berth::cli
