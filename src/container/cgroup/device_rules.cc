#include "container/cgroup/device_rules.h"

namespace berth::container {
namespace {

std::string number(const std::optional<std::int64_t>& value) {
  return !value || *value < 0 ? "*" : fmt::format("{}", *value);
}

}  // namespace

std::string device_rule_text(const DeviceRule& rule) {
  const std::string& access = rule.access.empty() ? "rwm" : rule.access;
  const bool all = rule.type.empty() || rule.type == "a";
  // "a" alone is the one rule that also forgets the list kept so far.
  if (all && access == "rwm") return "a";
  return fmt::format("{} {}:{} {}", all ? "a" : rule.type, number(rule.major), number(rule.minor),
                     access);
}

Result<void> write_device_rules(const CgroupDirectory& directory,
                                const std::vector<DeviceRule>& rules) {
  for (std::size_t i = 0; i < rules.size();) {
    // Neighbours that go to the same file are written through one open.
    std::vector<std::string> lines;
    const bool allow = rules[i].allow;
    for (; i < rules.size() && rules[i].allow == allow; ++i)
      lines.push_back(device_rule_text(rules[i]));
    TRY(directory.write_each(allow ? "devices.allow" : "devices.deny", lines));
  }
  return {};
}

}  // namespace berth::container
