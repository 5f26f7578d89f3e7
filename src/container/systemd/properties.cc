#include "container/systemd/properties.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <optional>

#include "container/cgroup/device_rules.h"
#include "container/spec/number_list.h"

namespace berth::container {
namespace {

constexpr std::uint64_t kInfinity = UINT64_MAX;  // systemd's, for times and sizes alike
constexpr std::uint64_t kDefaultPeriod = 100000;
constexpr std::uint64_t kSecond = 1000000;  // in microseconds
constexpr std::uint64_t kHundredth = kSecond / 100;

// The versions that brought what is used here: systemd's NEWS.
constexpr int kHasQuotaPeriod = 242;
constexpr int kHasCpusets = 244;
constexpr int kHasNumberedDevices = 240;  // does not look for the node
constexpr int kHasIdle = 252;

// The table of what a file's number becomes.
struct NumberRow {
  CgroupVersion version;
  std::string_view file;
  const char* property;
};
constexpr auto kNumbers = std::to_array<NumberRow>({
    {CgroupVersion::kV1, "memory.limit_in_bytes", "MemoryLimit"},
    {CgroupVersion::kV1, "cpu.shares", "CPUShares"},
    {CgroupVersion::kV1, "blkio.weight", "BlockIOWeight"},
    {CgroupVersion::kV1, "pids.max", "TasksMax"},
    {CgroupVersion::kV2, "memory.max", "MemoryMax"},
    {CgroupVersion::kV2, "memory.low", "MemoryLow"},
    {CgroupVersion::kV2, "memory.min", "MemoryMin"},
    {CgroupVersion::kV2, "memory.high", "MemoryHigh"},
    {CgroupVersion::kV2, "memory.swap.max", "MemorySwapMax"},
    {CgroupVersion::kV2, "cpu.weight", "CPUWeight"},
    {CgroupVersion::kV2, "io.weight", "IOWeight"},
    {CgroupVersion::kV2, "pids.max", "TasksMax"},
});

std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\n"), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(" \t\n"));
  text.remove_prefix(word.size());
  return word;
}

// "max", and what is below zero, are no limit.
std::optional<std::uint64_t> number_of(std::string_view word) {
  if (word == "max" || word.starts_with('-')) return kInfinity;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

std::optional<std::vector<std::uint8_t>> mask_of(std::string_view list) {
  const auto bits = parse_number_list(list);
  if (!bits) return std::nullopt;
  std::vector<std::uint8_t> mask;
  for (const unsigned long word : *bits)
    for (unsigned at = 0; at < sizeof word * CHAR_BIT; at += CHAR_BIT)
      mask.push_back(static_cast<std::uint8_t>(word >> at));
  while (!mask.empty() && mask.back() == 0) mask.pop_back();
  return mask;
}

// CPU time for each second, in whole hundredths.
std::uint64_t quota_per_second(std::uint64_t quota, std::uint64_t period) {
  if (quota == kInfinity || period == 0) return kInfinity;
  const auto exact = static_cast<unsigned __int128>(quota) * kSecond / period;
  const auto whole = (exact + kHundredth - 1) / kHundredth * kHundredth;
  return whole >= kInfinity ? kInfinity : static_cast<std::uint64_t>(whole);
}

class Properties {
 public:
  Properties(CgroupVersion version, int systemd_version)
      : version_(version), systemd_version_(systemd_version) {}

  Result<void> add(const CgroupSetting& setting) {
    std::string_view rest = setting.value;
    const std::string_view first = take_word(rest);
    const bool is_v2 = version_ == CgroupVersion::kV2;
    if (setting.file == (is_v2 ? "cpu.max" : "cpu.cfs_quota_us")) {
      quota_ = TRY(number(setting, first));
      if (const std::string_view period = take_word(rest); !period.empty())
        period_ = TRY(number(setting, period));
    } else if (!is_v2 && setting.file == "cpu.cfs_period_us") {
      period_ = TRY(number(setting, first));
    } else if (setting.file == "cpuset.cpus") {
      return add_mask(setting, "AllowedCPUs");
    } else if (setting.file == "cpuset.mems") {
      return add_mask(setting, "AllowedMemoryNodes");
    } else if (is_v2 && setting.file == "cpu.idle") {
      is_idle_ = first == "1" && systemd_version_ >= kHasIdle;
    } else {
      return add_number(setting, first, rest);
    }
    return {};
  }

  std::vector<UnitProperty> take() {
    if (quota_ || period_) {
      const std::uint64_t period = period_.value_or(kDefaultPeriod);
      if (period_ && systemd_version_ >= kHasQuotaPeriod) set("CPUQuotaPeriodUSec", period);
      set("CPUQuotaPerSecUSec", quota_per_second(quota_.value_or(kInfinity), period));
    }
    if (is_idle_) set("CPUWeight", std::uint64_t{0});  // systemd's word for it
    return std::move(list_);
  }

 private:
  static Result<std::uint64_t> number(const CgroupSetting& setting, std::string_view word) {
    if (const auto value = number_of(word)) return *value;
    return fail(ErrorKind::kInvalid, "'{}' is no value for {}", setting.value, setting.file);
  }
  Result<void> add_number(const CgroupSetting& setting, std::string_view first,
                          std::string_view rest) {
    // "8:0 100" is of one device.
    if (!take_word(rest).empty() || first.find(':') != std::string_view::npos) return {};
    for (const NumberRow& row : kNumbers)
      if (row.version == version_ && row.file == setting.file)
        set(row.property, TRY(number(setting, first)));
    return {};
  }
  Result<void> add_mask(const CgroupSetting& setting, const char* property) {
    if (systemd_version_ < kHasCpusets) return {};
    auto mask = mask_of(setting.value);
    if (!mask)
      return fail(ErrorKind::kInvalid, "'{}' is no list for {}, like \"0-3,7\"", setting.value,
                  setting.file);
    if (!mask->empty()) set(property, std::move(*mask));
    return {};
  }
  // Of settings for one file the later wins.
  void set(const char* name, BusValue value) {
    std::erase_if(list_, [name](const UnitProperty& property) { return property.name == name; });
    list_.push_back({name, std::move(value)});
  }

  CgroupVersion version_;
  int systemd_version_;
  std::optional<std::uint64_t> quota_, period_;
  bool is_idle_ = false;
  std::vector<UnitProperty> list_;
};

// nullopt: systemd cannot say it.
std::optional<DeviceAllowance> allowance_of(const DeviceRule& rule) {
  const std::int64_t major = rule.major.value_or(-1), minor = rule.minor.value_or(-1);
  const bool is_block = rule.type == "b";
  const char* group = is_block ? "block" : "char";
  if (major >= 0 && minor >= 0)
    return DeviceAllowance{fmt::format("/dev/{}/{}:{}", group, major, minor), rule.access};
  if (minor >= 0) return std::nullopt;
  if (major >= 0) return DeviceAllowance{fmt::format("{}-{}", group, major), rule.access};
  return DeviceAllowance{fmt::format("{}-*", group), rule.access};
}

}  // namespace

Result<std::vector<UnitProperty>> limit_properties(CgroupVersion version,
                                                   std::span<const CgroupSetting> settings,
                                                   int systemd_version) {
  Properties properties(version, systemd_version);
  for (const CgroupSetting& setting : settings) TRY(properties.add(setting));
  return properties.take();
}

std::vector<UnitProperty> device_properties(const std::vector<DeviceRule>& rules,
                                            int systemd_version) {
  using Allowances = std::vector<DeviceAllowance>;
  std::vector<UnitProperty> none = {{"DeviceAllow", Allowances()},
                                    {"DevicePolicy", std::string("auto")}};
  const auto outcome = resolve_device_rules(rules);
  if (!outcome.ok() || outcome->empty() || outcome->front().allow ||
      systemd_version < kHasNumberedDevices)
    return none;
  Allowances allowed;
  for (const DeviceRule& rule : std::span(*outcome).subspan(1)) {
    auto allowance = allowance_of(rule);
    if (!allowance) return none;
    allowed.push_back(std::move(*allowance));
  }
  return {{"DevicePolicy", std::string("strict")}, {"DeviceAllow", std::move(allowed)}};
}

Resources with_whole_quota(Resources resources) {
  CpuResources& cpu = resources.cpu;
  if (cpu.quota.value_or(0) <= 0) return resources;
  const std::uint64_t period = cpu.period.value_or(0) == 0 ? kDefaultPeriod : *cpu.period;
  const std::uint64_t whole = quota_per_second(static_cast<std::uint64_t>(*cpu.quota), period);
  if (whole == kInfinity) return resources;
  const auto quota = static_cast<unsigned __int128>(whole) * period / kSecond;
  if (quota <= INT64_MAX) cpu.quota = static_cast<std::int64_t>(quota);
  return resources;
}

}  // namespace berth::container
