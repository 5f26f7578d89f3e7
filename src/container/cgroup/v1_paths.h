// What the path of a v1 cgroup says: "/sys/fs/cgroup/memory/berth/c" is the cgroup "berth/c" of the
// memory hierarchy below /sys/fs/cgroup. cgroups(7).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace berth::container {

/// The controllers a container is put in, by the names of the directories they are mounted at.
inline constexpr auto kV1Controllers =
    std::to_array<std::string_view>({"cpu", "cpuacct", "cpuset", "memory", "devices", "freezer",
                                     "blkio", "pids", "hugetlb", "net_cls", "net_prio", "rdma"});

struct V1Place {
  std::string root;      // "/sys/fs/cgroup"
  std::string relative;  // "berth/c"
};

/// Whether the hierarchy of the cgroup at `path` has the controller. The hierarchy's directory is
/// the first that is named after controllers ("cpu,cpuacct"); below it a cgroup may have any name,
/// a controller's too.
bool is_of_controller(std::string_view path, std::string_view controller);

/// nullopt: no directory of the path is named after a controller.
std::optional<V1Place> v1_place_of(std::string_view path);

}  // namespace berth::container
