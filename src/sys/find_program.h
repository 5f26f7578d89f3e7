// A program of the host by its name, as a shell finds it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace berth::sys {

/// The absolute path of `name` in the directories of $PATH, or of where programs usually are if
/// there is none. Not of the working directory, which may be anybody's. kNotFound if none has it.
Result<std::string> find_program(std::string_view name);

}  // namespace berth::sys
