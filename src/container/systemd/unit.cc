#include "container/systemd/unit.h"

#include <algorithm>
#include <array>

namespace berth::container {
namespace {

constexpr std::string_view kSliceSuffix = ".slice";
constexpr std::string_view kDefaultPrefix = "berth";
// systemd.unit(5): "a maximum of 255 characters", and these.
constexpr std::size_t kMaxName = 255;
constexpr std::string_view kAllowed =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:-_.\\@";

// What a file of a cgroup may begin with, so that a directory may not: CGROUP_DELEGATION.md,
// "Cgroup v2 vs. v1", cg_needs_escape().
constexpr auto kReserved = std::to_array<std::string_view>(
    {"cgroup", "cpu", "cpuacct", "cpuset", "io", "blkio", "memory", "devices", "pids"});

Error bad_path(std::string_view path, std::string_view why) {
  return fail(ErrorKind::kInvalid,
              "linux.cgroupsPath has to be \"slice:prefix:name\" with --systemd-cgroup, like "
              "\"system.slice:berth:c1\"; '{}' {}",
              path, why);
}

struct Parts {
  std::string_view slice, prefix, name;
};

Result<Parts> split(std::string_view path) {
  if (std::ranges::count(path, ':') != 2) return bad_path(path, "has not two colons");
  const auto first = path.find(':');
  const auto second = path.find(':', first + 1);
  const Parts parts{path.substr(0, first), path.substr(first + 1, second - first - 1),
                    path.substr(second + 1)};
  if (parts.name.empty()) return bad_path(path, "has no name");
  return parts;
}

}  // namespace

std::string directory_of_unit(std::string_view unit) {
  const bool is_reserved =
      unit.starts_with('_') || unit.starts_with('.') ||
      std::ranges::find(kReserved, unit.substr(0, unit.find('.'))) != kReserved.end();
  return fmt::format("{}{}", is_reserved ? "_" : "", unit);
}

Result<std::string> path_of_slice(std::string_view slice) {
  const auto bad = [slice] {
    return fail(ErrorKind::kInvalid,
                "'{}' is not the name of a slice: words joined by single '-', and \".slice\"",
                slice);
  };
  if (!slice.ends_with(kSliceSuffix) || slice.size() > kMaxName ||
      slice.find_first_not_of(kAllowed) != std::string_view::npos)
    return bad();
  const std::string_view words = slice.substr(0, slice.size() - kSliceSuffix.size());
  if (words == "-") return std::string();
  std::string path;
  for (std::size_t at = 0; at <= words.size();) {
    const auto end = std::min(words.find('-', at), words.size());
    if (end == at) return bad();
    if (!path.empty()) path += '/';
    path += directory_of_unit(fmt::format("{}{}", words.substr(0, end), kSliceSuffix));
    at = end + 1;
  }
  return path;
}

Result<Unit> unit_of(std::string_view cgroups_path, std::string_view id, bool is_privileged) {
  const Parts parts =
      cgroups_path.empty() ? Parts{{}, kDefaultPrefix, id} : TRY(split(cgroups_path));
  Unit unit;
  unit.slice = parts.slice;
  if (unit.slice.empty()) unit.slice = is_privileged ? "system.slice" : "user.slice";
  const bool is_slice = parts.name.ends_with(kSliceSuffix);
  unit.name =
      is_slice ? std::string(parts.name) : fmt::format("{}-{}.scope", parts.prefix, parts.name);
  if (unit.name.size() > kMaxName || unit.name.find_first_not_of(kAllowed) != std::string::npos)
    return fail(ErrorKind::kInvalid,
                "'{}' cannot be the name of a unit: at most {} letters, digits and \":-_.\\@\"; "
                "linux.cgroupsPath \"slice:prefix:name\" gives another",
                unit.name, kMaxName);
  const std::string parent = TRY(path_of_slice(unit.slice).context("linux.cgroupsPath"));
  if (is_slice) {
    unit.path = TRY(path_of_slice(unit.name).context("linux.cgroupsPath"));
    if (unit.path.empty()) return bad_path(cgroups_path, "is the root of all slices");
    return unit;
  }
  unit.path = directory_of_unit(unit.name);
  if (!parent.empty()) unit.path = fmt::format("{}/{}", parent, unit.path);
  return unit;
}

}  // namespace berth::container
