// From the words of the command line to an exit code.
#pragma once

#include <span>
#include <string>

namespace berth::cli {

/// `words` without the program's name. Never throws; everything the user is to know has been
/// written.
int run_command_line(std::span<const std::string> words);

}  // namespace berth::cli
