#include "container/isolate/devices.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>

namespace berth::container {
namespace {

constexpr mode_t kEveryone = 0666;

struct DefaultNode {
  const char* path;
  unsigned minor;
  unsigned major;
};

constexpr std::array<DefaultNode, 6> kDefaultNodes = {{
    {"/dev/null", 3, 1},
    {"/dev/zero", 5, 1},
    {"/dev/full", 7, 1},
    {"/dev/random", 8, 1},
    {"/dev/urandom", 9, 1},
    {"/dev/tty", 0, 5},
}};

mode_t node_type(const std::string& type) {
  if (type == "b") return S_IFBLK;
  return type == "p" ? S_IFIFO : S_IFCHR;
}

// Whether the user brings a whole /dev of their own.
bool has_bound_dev(const Spec& spec) {
  return std::ranges::any_of(spec.mounts, [](const Mount& mount) {
    const bool dev = mount.destination == "/dev" || mount.destination == "/dev/";
    return dev &&
           (mount.type == "bind" || std::ranges::any_of(mount.options, [](const auto& option) {
              return option == "bind" || option == "rbind";
            }));
  });
}

DeviceRule allow(const char* type, std::optional<std::int64_t> major,
                 std::optional<std::int64_t> minor, const char* access) {
  return {.allow = true, .type = type, .major = major, .minor = minor, .access = access};
}

}  // namespace

DevicesPlan plan_devices(const Spec& spec) {
  DevicesPlan plan;
  plan.wanted = !has_bound_dev(spec);
  plan.bind = find_namespace(spec, NamespaceType::kUser) != nullptr;
  const auto listed = [&](const char* path) {
    return std::ranges::any_of(spec.linux_.devices,
                               [&](const Device& device) { return device.path == path; });
  };
  for (const DefaultNode& node : kDefaultNodes)
    if (!listed(node.path))
      plan.nodes.push_back(
          {node.path, S_IFCHR | kEveryone, ::makedev(node.major, node.minor), 0, 0});
  for (const Device& device : spec.linux_.devices)
    plan.nodes.push_back(
        {device.path,
         node_type(device.type) | static_cast<mode_t>(device.file_mode.value_or(kEveryone)),
         ::makedev(static_cast<unsigned>(device.major), static_cast<unsigned>(device.minor)),
         device.uid, device.gid});
  return plan;
}

DeviceRule deny_all_devices() {
  return {.allow = false, .type = "a", .major = {}, .minor = {}, .access = "rwm"};
}

const std::vector<DeviceRule>& default_device_rules() {
  static const std::vector<DeviceRule> rules = {
      allow("c", {}, {}, "m"), allow("b", {}, {}, "m"),     // making any node
      allow("c", 1, 3, "rwm"), allow("c", 1, 5, "rwm"),     // null, zero
      allow("c", 1, 7, "rwm"), allow("c", 1, 8, "rwm"),     // full, random
      allow("c", 1, 9, "rwm"), allow("c", 5, 0, "rwm"),     // urandom, tty
      allow("c", 5, 2, "rwm"), allow("c", 136, {}, "rwm"),  // ptmx, pts
  };
  return rules;
}

Resources with_default_devices(Resources resources) {
  const auto& defaults = default_device_rules();
  resources.devices.insert(resources.devices.begin(), deny_all_devices());
  resources.devices.insert(resources.devices.end(), defaults.begin(), defaults.end());
  return resources;
}

}  // namespace berth::container
