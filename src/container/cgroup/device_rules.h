// Device rules for the devices controller of cgroup v1. admin-guide cgroup-v1/devices.rst;
// devcgroup_update_access() in the kernel's security/device_cgroup.c.
//
// A cgroup has a default, "allow" or "deny", and a list of exceptions to it. Writing "a" sets the
// default and forgets the list, whatever follows the letter; a line for some devices adds to the
// list, or takes from it the one entry with the very same type and numbers. What it cannot do, it
// takes without an error. So rules are worked through here, and what is written is their outcome.
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

/// The outcome of rules of which a later one wins: first, if there is one, the last rule for
/// everything, then the exceptions to it. kUnsupported: a rule takes a part out of an earlier one,
/// which no list of exceptions can say.
Result<std::vector<DeviceRule>> resolve_device_rules(const std::vector<DeviceRule>& rules);

/// Writes the outcome. kUnsupported as above.
Result<void> write_device_rules(const CgroupDirectory& directory,
                                const std::vector<DeviceRule>& rules);

}  // namespace berth::container
