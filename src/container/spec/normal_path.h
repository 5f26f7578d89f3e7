// Paths as the kernel takes them, for whoever compares them with a table.
#pragma once

#include <string>
#include <string_view>

namespace berth::container {

/// Without "." and double slashes, and without a slash at the end.
std::string normal_path(std::string_view path);
/// A destination of a mount, which may be given without the slash at its front: config.md,
/// "Mounts".
std::string absolute_path(std::string_view path);

}  // namespace berth::container
