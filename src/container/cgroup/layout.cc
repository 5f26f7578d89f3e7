#include "container/cgroup/layout.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <algorithm>
#include <array>

namespace berth::container {
namespace {

// v1 controllers a container is put in, with the directory that co-mounted ones share on most
// distributions.
struct ControllerRow {
  const char* controller;
  const char* directory;
};

constexpr auto kControllers = std::to_array<ControllerRow>({
    {"cpu", "cpu"},
    {"cpuacct", "cpuacct"},
    {"cpuset", "cpuset"},
    {"memory", "memory"},
    {"devices", "devices"},
    {"freezer", "freezer"},
    {"blkio", "blkio"},
    {"pids", "pids"},
    {"hugetlb", "hugetlb"},
    {"net_cls", "net_cls"},
    {"net_prio", "net_prio"},
    {"rdma", "rdma"},
});

bool has_magic(const std::string& path, long magic) {
  struct statfs found = {};
  return ::statfs(path.c_str(), &found) == 0 && found.f_type == magic;
}

}  // namespace

const Hierarchy* CgroupLayout::find(std::string_view controller) const {
  for (const Hierarchy& hierarchy : hierarchies)
    if (std::ranges::find(hierarchy.controllers, controller) != hierarchy.controllers.end())
      return &hierarchy;
  return nullptr;
}

Result<CgroupLayout> detect_cgroups(const std::string& root) {
  CgroupLayout layout;
  if (has_magic(root, CGROUP2_SUPER_MAGIC)) {
    layout.version = CgroupVersion::kV2;
    layout.hierarchies.push_back({{}, root, {}, {}});
    return layout;
  }
  std::vector<std::pair<dev_t, ino_t>> seen;
  for (const ControllerRow& row : kControllers) {
    const std::string path = root + "/" + row.directory;
    struct stat found = {};
    if (!has_magic(path, CGROUP_SUPER_MAGIC) || ::stat(path.c_str(), &found) != 0) continue;
    // Controllers mounted together are one directory under several names.
    const std::pair<dev_t, ino_t> identity{found.st_dev, found.st_ino};
    const auto known = std::ranges::find(seen, identity);
    if (known == seen.end()) {
      seen.push_back(identity);
      layout.hierarchies.push_back({row.directory, path, {row.controller}, {}});
    } else {
      Hierarchy& hierarchy = layout.hierarchies[static_cast<std::size_t>(known - seen.begin())];
      hierarchy.controllers.emplace_back(row.controller);
      hierarchy.links.emplace_back(row.directory);
    }
  }
  if (layout.hierarchies.empty())
    return fail(ErrorKind::kUnsupported, "no cgroup hierarchy is mounted below {}", root);
  return layout;
}

}  // namespace berth::container
