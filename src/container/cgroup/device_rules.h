// Device rules for the devices controller of cgroup v1: one line per rule. admin-guide
// cgroup-v1/devices.rst.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "container/cgroup/tree.h"
#include "container/spec/spec.h"

namespace berth::container {

/// "c 1:3 rwm", "b *:* m", "a". One for some devices of both types begins with "a" too, and is not
/// what the kernel would make of it.
std::string device_rule_text(const DeviceRule& rule);

/// Writes the rules in order; each is allowed or denied on top of those before it.
Result<void> write_device_rules(const CgroupDirectory& directory,
                                const std::vector<DeviceRule>& rules);

}  // namespace berth::container
