// Settings: the resources of a spec as what is written into which file of a cgroup, without
// touching any. One function per cgroup version; devices are apart (device_rules.h,
// device_program.h). Sources: kernel admin-guide cgroup-v1/*.rst and cgroup-v2.rst; runtime-spec
// config-linux.md "Control groups".
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "container/cgroup/tree.h"
#include "container/spec/spec.h"

namespace berth::container {

struct CgroupSetting {
  std::string controller;  // the controller that has to be there: "memory"
  std::string file;        // "memory.limit_in_bytes"
  std::string value;
  friend bool operator==(const CgroupSetting&, const CgroupSetting&) = default;
};

/// In the order in which the kernel accepts them. kUnsupported: this version has no such limit.
/// kInvalid: values that contradict each other.
Result<std::vector<CgroupSetting>> settings_v1(const Resources& resources);
Result<std::vector<CgroupSetting>> settings_v2(const Resources& resources);

/// The name that a setting's file has here: the weights of block devices are BFQ's since Linux 5.0,
/// with "bfq" in their names.
std::string present_name_of(const CgroupDirectory& directory, const std::string& file);

/// cpu.shares (2 to 262144) as cpu.weight (1 to 10000), as runc and systemd translate.
std::uint64_t weight_of_shares(std::uint64_t shares);
/// blkio.weight (10 to 1000) as io.weight (1 to 10000).
std::uint64_t io_weight_of(std::uint16_t weight);

}  // namespace berth::container
