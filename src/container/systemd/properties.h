// The limits of a container as properties of its unit, so that systemd, which keeps the files of
// its units' cgroups, keeps the same values. One row of a table for each file that has a property;
// what has none is in the files alone. systemd.resource-control(5), org.freedesktop.systemd1(5).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "container/cgroup/layout.h"
#include "container/cgroup/settings.h"
#include "container/spec/spec.h"
#include "container/systemd/bus_writer.h"

namespace berth::container {

struct UnitProperty {
  std::string name;
  BusValue value;
  friend bool operator==(const UnitProperty&, const UnitProperty&) = default;
};

/// What settings_v1() or settings_v2() made of the resources, as far as systemd of that version
/// knows them. kInvalid: a value is not what its file takes.
Result<std::vector<UnitProperty>> limit_properties(CgroupVersion version,
                                                   std::span<const CgroupSetting> settings,
                                                   int systemd_version);

/// `rules` begin with one for everything. DevicePolicy "strict" and a DeviceAllow for each thing
/// allowed. Rules that systemd has no words for leave it out of the matter (DevicePolicy "auto"):
/// it would forbid what they allow.
std::vector<UnitProperty> device_properties(const std::vector<DeviceRule>& rules,
                                            int systemd_version);

/// The resources with a CPU quota that is a whole number of hundredths of a CPU, rounded up:
/// systemd counts in those, and would otherwise write another value over the one that was asked
/// for.
Resources with_whole_quota(Resources resources);

}  // namespace berth::container
