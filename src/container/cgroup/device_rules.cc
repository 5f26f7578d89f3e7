#include "container/cgroup/device_rules.h"

#include <algorithm>

namespace berth::container {
namespace {

constexpr std::string_view kEveryAccess = "rwm";

std::string number(const std::optional<std::int64_t>& value) {
  return !value || *value < 0 ? "*" : fmt::format("{}", *value);
}

bool is_for_both_types(const DeviceRule& rule) {
  return rule.type.empty() || rule.type == "a";
}

bool is_for_everything(const DeviceRule& rule) {
  const auto whole = [&](char c) { return rule.access.find(c) != std::string::npos; };
  return is_for_both_types(rule) && rule.major.value_or(-1) < 0 && rule.minor.value_or(-1) < 0 &&
         (rule.access.empty() || std::ranges::all_of(kEveryAccess, whole));
}

// How two numbers, or every number (-1), relate.
bool meet(std::int64_t a, std::int64_t b) {
  return a < 0 || b < 0 || a == b;
}
bool covers(std::int64_t a, std::int64_t b) {
  return a < 0 || a == b;
}

struct Exceptions {
  bool allow = false;  // what the exceptions do; the default is the other
  std::vector<DeviceRule> list;

  void add(const DeviceRule& rule) {
    for (DeviceRule& entry : list) {
      if (entry.type != rule.type || entry.major != rule.major || entry.minor != rule.minor)
        continue;
      for (const char c : rule.access)
        if (entry.access.find(c) == std::string::npos) entry.access += c;
      return;
    }
    list.push_back(rule);
  }

  // False: a part of an entry would have to go.
  bool take(const DeviceRule& rule) {
    for (DeviceRule& entry : list) {
      if (entry.type != rule.type || !meet(entry.major.value(), rule.major.value()) ||
          !meet(entry.minor.value(), rule.minor.value()) ||
          entry.access.find_first_of(rule.access) == std::string::npos)
        continue;
      if (!covers(rule.major.value(), entry.major.value()) ||
          !covers(rule.minor.value(), entry.minor.value()))
        return false;
      std::erase_if(entry.access, [&](char c) { return rule.access.find(c) != std::string::npos; });
    }
    std::erase_if(list, [](const DeviceRule& entry) { return entry.access.empty(); });
    return true;
  }
};

// One rule for one type, with every field given.
DeviceRule complete(const DeviceRule& rule, const char* type) {
  return {.allow = rule.allow,
          .type = type,
          .major = std::max<std::int64_t>(rule.major.value_or(-1), -1),
          .minor = std::max<std::int64_t>(rule.minor.value_or(-1), -1),
          .access = rule.access.empty() ? std::string(kEveryAccess) : rule.access};
}

Result<void> work_through(Exceptions& exceptions, const DeviceRule& rule) {
  const std::vector<const char*> types =
      is_for_both_types(rule) ? std::vector<const char*>{"b", "c"}
                              : std::vector<const char*>{rule.type == "b" ? "b" : "c"};
  for (const char* type : types) {
    const DeviceRule one = complete(rule, type);
    if (one.allow == exceptions.allow) {
      exceptions.add(one);
    } else if (!exceptions.take(one)) {
      return fail(ErrorKind::kUnsupported,
                  "linux.resources.devices: to {} '{}' takes a part out of a wider rule before it, "
                  "which cgroup v1 cannot: list what is to be {} instead",
                  one.allow ? "allow" : "deny", device_rule_text(one),
                  one.allow ? "denied" : "allowed");
    }
  }
  return {};
}

}  // namespace

std::string device_rule_text(const DeviceRule& rule) {
  if (is_for_everything(rule)) return "a";
  return fmt::format("{} {}:{} {}", is_for_both_types(rule) ? "a" : rule.type, number(rule.major),
                     number(rule.minor), rule.access.empty() ? kEveryAccess : rule.access);
}

Result<std::vector<DeviceRule>> resolve_device_rules(const std::vector<DeviceRule>& rules) {
  // A cgroup that nobody wrote to allows what its parent does.
  Exceptions exceptions;
  std::vector<DeviceRule> outcome;
  for (const DeviceRule& rule : rules) {
    if (!is_for_everything(rule)) {
      TRY(work_through(exceptions, rule));
      continue;
    }
    exceptions = {.allow = !rule.allow, .list = {}};
    outcome = {rule};
  }
  outcome.insert(outcome.end(), exceptions.list.begin(), exceptions.list.end());
  return outcome;
}

Result<void> write_device_rules(const CgroupDirectory& directory,
                                const std::vector<DeviceRule>& rules) {
  const auto outcome = TRY(resolve_device_rules(rules));
  for (std::size_t i = 0; i < outcome.size();) {
    // Neighbours that go to the same file are written through one open.
    std::vector<std::string> lines;
    const bool allow = outcome[i].allow;
    for (; i < outcome.size() && outcome[i].allow == allow; ++i)
      lines.push_back(device_rule_text(outcome[i]));
    TRY(directory.write_each(allow ? "devices.allow" : "devices.deny", lines));
  }
  return {};
}

}  // namespace berth::container
