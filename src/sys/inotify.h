// Watches one file for changes: inotify(7).
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace berth::sys {

/// A non-blocking descriptor that polls readable once `path` has been written to or truncated.
Result<UniqueFd> watch_file(const std::string& path);

/// Takes what is pending, so that the descriptor polls readable at the next change only.
Result<void> drain_file_watch(int watch);

}  // namespace berth::sys
