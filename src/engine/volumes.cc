#include "engine/volumes.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>

#include "base/strong_id.h"
#include "sys/dir.h"

namespace berth::engine {
namespace {

constexpr const char* kMarker = "anonymous";
constexpr const char* kKept = "kept";
constexpr const char* kHalf = ".half-";  // before a name that is not there yet, or no longer

}  // namespace

bool Volumes::valid_name(std::string_view name) {
  constexpr std::size_t kMaxName = 255;
  const auto allowed = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-';
  };
  return name.size() >= 2 && name.size() <= kMaxName &&
         std::isalnum(static_cast<unsigned char>(name[0])) != 0 &&
         std::ranges::all_of(name, allowed);
}

std::string Volumes::data_path(std::string_view name) const {
  return fmt::format("{}/{}/_data", root_, name);
}

Result<std::string> Volumes::ensure(std::string_view name) {
  if (!valid_name(name)) {
    return fail(ErrorKind::kInvalid,
                "\"{}\" includes invalid characters for a local volume name, only "
                "\"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are "
                "allowed. If you intended to pass a host directory, use absolute path",
                name);
  }
  const std::string data = data_path(name);
  TRY(sys::make_dirs(fmt::format("{}/{}", root_, name), 0711));
  TRY(sys::make_dirs(data, 0755));
  return data;
}

// Whole or not there: it gets its name when it has its marker.
Result<std::string> Volumes::create_anonymous() {
  std::string name = random_hex(64);
  const std::string half = fmt::format("{}/{}{}", root_, kHalf, name);
  TRY(sys::make_dirs(half, 0711));
  TRY(sys::make_dirs(fmt::format("{}/{}", half, kMarker), 0700));
  TRY(sys::make_dirs(half + "/_data", 0755));
  if (::rename(half.c_str(), fmt::format("{}/{}", root_, name).c_str()) != 0)
    return fail_errno("make volume {}", name);
  return name;
}

Result<std::vector<std::string>> Volumes::all() const {
  std::vector<std::string> names;
  const UniqueFd root = TRY(sys::open_dir(root_));
  for (const sys::DirEntry& entry : TRY(sys::list_dir(root.get())))
    if (valid_name(entry.name)) names.push_back(entry.name);
  return names;
}

Result<std::vector<std::string>> Volumes::anonymous() const {
  std::vector<std::string> names;
  const UniqueFd root = TRY(sys::open_dir(root_));
  for (const sys::DirEntry& entry : TRY(sys::list_dir(root.get())))
    if (::faccessat(root.get(), fmt::format("{}/{}", entry.name, kMarker).c_str(), F_OK, 0) == 0)
      names.push_back(entry.name);
  return names;
}

Result<void> Volumes::keep(std::string_view name) {
  if (!valid_name(name)) return fail(ErrorKind::kInvalid, "bad volume name '{}'", name);
  const std::string directory = fmt::format("{}/{}/", root_, name);
  if (::rename((directory + kMarker).c_str(), (directory + kKept).c_str()) != 0 && errno != ENOENT)
    return fail_errno("keep volume {}", name);
  return {};
}

Result<void> Volumes::remove_if_anonymous(std::string_view name) {
  if (!valid_name(name)) return fail(ErrorKind::kInvalid, "bad volume name '{}'", name);
  auto directory = sys::open_dir(fmt::format("{}/{}", root_, name));
  if (!directory.ok()) {
    if (directory.error().kind() == ErrorKind::kNotFound) return {};
    return std::move(directory).error();
  }
  if (::faccessat(directory->get(), kMarker, F_OK, 0) != 0) return {};
  // It loses its name before its marker.
  const UniqueFd root = TRY(sys::open_dir(root_));
  const std::string half = kHalf + std::string(name);
  if (::renameat(root.get(), std::string(name).c_str(), root.get(), half.c_str()) != 0)
    return fail_errno("remove volume {}", name);
  return sys::remove_tree(root.get(), half);
}

Result<void> Volumes::sweep() {
  const UniqueFd root = TRY(sys::open_dir(root_));
  Result<void> all;
  for (const sys::DirEntry& entry : TRY(sys::list_dir(root.get()))) {
    if (!entry.name.starts_with(kHalf)) continue;
    if (auto removed = sys::remove_tree(root.get(), entry.name); !removed.ok())
      all = std::move(removed);
  }
  return all;
}

}  // namespace berth::engine
