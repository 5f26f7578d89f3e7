// Layout: which cgroup hierarchies this host has and where. Three shapes: unified (v2 only), legacy
// (v1 only) and hybrid (v1 controllers, and a v2 tree that holds those controllers v1 does not,
// often none). cgroups(7).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace berth::container {

enum class CgroupVersion { kV1, kV2 };

struct Hierarchy {
  std::string name;  // directory below the root: "cpu,cpuacct"; empty for the one of a unified host
  std::string path;  // "/sys/fs/cgroup/cpu,cpuacct"
  std::vector<std::string> controllers;  // "cpu", "cpuacct"
  std::vector<std::string> links;        // other names of the directory: "cpu" -> "cpu,cpuacct"
};

struct CgroupLayout {
  CgroupVersion version = CgroupVersion::kV1;
  std::vector<Hierarchy> hierarchies;  // of that version only
  const Hierarchy* find(std::string_view controller) const;
};

/// Looks below `root`, where every distribution mounts them. kUnsupported: there are none.
Result<CgroupLayout> detect_cgroups(const std::string& root = "/sys/fs/cgroup");

}  // namespace berth::container
