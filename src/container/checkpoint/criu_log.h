// What criu wrote down of why it failed.
#pragma once

#include <string>

#include "base/error.h"

namespace berth::container {

/// The last line that has text, of a file that was just written; empty: there is none. Borrows
/// the descriptor.
std::string last_line_of(int fd);

/// The last error of the log at `path` that says more than that all failed, without criu's time
/// stamp; empty: there is none, or no log.
std::string last_error_in(const std::string& path);

/// The error of criu's, with what the log says, where it does not say that itself, and where that
/// is.
Error with_log(Error error, const std::string& path);

}  // namespace berth::container
