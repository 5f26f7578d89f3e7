// Names that a workload chose, as a line of output may hold them.
#pragma once

#include <string>
#include <string_view>

namespace berth::cli {

/// Control characters, which could make one line look like two or steer a terminal, as "\n", "\t"
/// or "\x1b"; all else as it is.
std::string printable(std::string_view name);

}  // namespace berth::cli
