// Paths as the kernel takes them, for whoever compares them with a table.
#pragma once

#include <string>
#include <string_view>

namespace berth::container {

/// Without "." and double slashes, and without a slash at the end.
std::string normal_path(std::string_view path);

}  // namespace berth::container
