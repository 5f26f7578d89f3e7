#include "container/cgroup/device_rules.h"

namespace berth::container {
namespace {

std::string number(const std::optional<std::int64_t>& value) {
  return !value || *value < 0 ? "*" : fmt::format("{}", *value);
}

bool is_for_all_types(const DeviceRule& rule) {
  return rule.type.empty() || rule.type == "a";
}

// To the kernel an "a" is every device and every access, whatever follows it on the line
// (devcgroup_update_access(), security/device_cgroup.c): a rule for some devices of both types is
// two.
void append_lines(const DeviceRule& rule, std::vector<std::string>& lines) {
  const std::string line = device_rule_text(rule);
  if (!is_for_all_types(rule) || line == "a") return lines.push_back(line);
  for (const char* type : {"b", "c"}) {
    DeviceRule one = rule;
    one.type = type;
    lines.push_back(device_rule_text(one));
  }
}

}  // namespace

std::string device_rule_text(const DeviceRule& rule) {
  const std::string& access = rule.access.empty() ? "rwm" : rule.access;
  const bool all = is_for_all_types(rule);
  const bool any_number = rule.major.value_or(-1) < 0 && rule.minor.value_or(-1) < 0;
  // "a" alone is the one rule that also forgets the list kept so far.
  if (all && any_number && access == "rwm") return "a";
  return fmt::format("{} {}:{} {}", all ? "a" : rule.type, number(rule.major), number(rule.minor),
                     access);
}

Result<void> write_device_rules(const CgroupDirectory& directory,
                                const std::vector<DeviceRule>& rules) {
  for (std::size_t i = 0; i < rules.size();) {
    // Neighbours that go to the same file are written through one open.
    std::vector<std::string> lines;
    const bool allow = rules[i].allow;
    for (; i < rules.size() && rules[i].allow == allow; ++i) append_lines(rules[i], lines);
    TRY(directory.write_each(allow ? "devices.allow" : "devices.deny", lines));
  }
  return {};
}

}  // namespace berth::container
