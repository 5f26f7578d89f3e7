// What may be mounted inside /proc: one table for those who check the text of a spec and those who
// have resolved a mount's target.
#pragma once

#include <string>
#include <string_view>

namespace berth::container {

/// Without "." and double slashes, and without a slash at the end.
std::string normal_path(std::string_view path);

/// Files that only inform, and that a userspace replacement fakes, as runc allows them. Anything
/// else could cover the masks, hide a setting that protects the container's own confinement like
/// attr/exec, or give the runtime a forged /proc/self. `path` is a normal_path().
bool may_cover_in_proc(std::string_view path);

}  // namespace berth::container
