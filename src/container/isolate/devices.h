// /dev: the nodes every container has, those of the spec, and the usual links. runtime-spec
// config-linux.md, "Default Devices"; null(4), random(4), tty(4), pts(4).
#pragma once

#include <sys/types.h>

#include <array>
#include <string>
#include <vector>

#include "container/isolate/child.h"
#include "container/spec/spec.h"

namespace berth::container {

struct DeviceNode {
  std::string path;  // absolute, in the container
  mode_t mode = 0;   // type and permissions
  dev_t number = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};

struct DeviceLink {
  const char* name;  // in /dev
  const char* target;
};

inline constexpr std::array<DeviceLink, 6> kDeviceLinks = {{
    {"fd", "/proc/self/fd"},
    {"stdin", "/proc/self/fd/0"},
    {"stdout", "/proc/self/fd/1"},
    {"stderr", "/proc/self/fd/2"},
    {"core", "/proc/kcore"},
    {"ptmx", "pts/ptmx"},
}};

struct DevicesPlan {
  bool wanted = false;  // false: the user's own /dev is mounted there and stays as it is
  bool bind = false;    // in a user namespace nodes cannot be made: the host's are bound
  std::vector<DeviceNode> nodes;
};

DevicesPlan plan_devices(const Spec& spec);
bool enter_devices(Child& child, const DevicesPlan& plan);

/// The device rules every container gets after its own: what the default nodes need. Beside them
/// making nodes is allowed, as what a node opens is checked when it is opened.
const std::vector<DeviceRule>& default_device_rules();
/// The rule every container's begin with.
DeviceRule deny_all_devices();
/// With the rules before and after its own: nothing is allowed but what the spec and the default
/// nodes say, so a spec without rules has no devices of the host.
Resources with_default_devices(Resources resources);

}  // namespace berth::container
