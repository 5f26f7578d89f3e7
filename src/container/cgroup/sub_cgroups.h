// Cgroups below a container's own, for processes that join it: `exec --cgroup`.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace berth::container {

/// The directories of a process that is to be in sub-cgroups of a container's: `wanted` are
/// "[controller[,controller...]:]path", as runc's --cgroup has it; a path without controllers is of
/// every hierarchy. kInvalid, kNotFound: it leads out of the container's cgroup, or there is none.
Result<std::vector<std::string>> sub_cgroups(std::vector<std::string> paths,
                                             std::span<const std::string> wanted);

}  // namespace berth::container
