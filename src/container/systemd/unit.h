// The unit of a container: what linux.cgroupsPath says to systemd, "slice:prefix:name", and where
// its cgroup is. systemd.unit(5), systemd.slice(5), systemd.scope(5).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace berth::container {

struct Unit {
  std::string name = {};   // "berth-c1.scope", or "pod-c1.slice"
  std::string slice = {};  // the one it is in: "machine.slice"
  std::string path = {};   // of its cgroup, below the manager's: "machine.slice/berth-c1.scope"
  bool is_slice() const { return name.ends_with(".slice"); }
};

/// "slice:prefix:name" is the unit prefix-name.scope in that slice, or, if `name` ends in ".slice",
/// the slice of that name; no slice is system.slice, for a user's own manager user.slice; an empty
/// path is ":berth:<id>". kInvalid: the path is of another form.
Result<Unit> unit_of(std::string_view cgroups_path, std::string_view id, bool is_privileged);

/// The directory of a unit's cgroup: its name, unless that could be a file of the kernel's.
std::string directory_of_unit(std::string_view unit);

/// Where a slice's cgroup is: "a-b.slice" is "a.slice/a-b.slice", "-.slice" the root, "". kInvalid:
/// no name of a slice.
Result<std::string> path_of_slice(std::string_view slice);

}  // namespace berth::container
