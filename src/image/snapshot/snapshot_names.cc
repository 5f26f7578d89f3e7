#include "image/snapshot/snapshot_names.h"

#include <algorithm>
#include <cstdlib>

namespace berth::image {
namespace {

constexpr std::size_t kMaxKey = 255;

}  // namespace

Result<void> check_key(std::string_view key) {
  const bool good = !key.empty() && key.size() <= kMaxKey && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == ':' || c == '-';
  });
  if (!good)
    return fail(ErrorKind::kInvalid, "'{}' cannot be the name of a snapshot", key.substr(0, 300));
  return {};
}

/// The number that a directory's name is, 0 if it is none.
std::int64_t id_of(const std::string& name) {
  if (name.empty() || name.size() > 18 ||
      name.find_first_not_of("0123456789") != std::string::npos) {
    return 0;
  }
  return std::strtoll(name.c_str(), nullptr, 10);
}

}  // namespace berth::image
