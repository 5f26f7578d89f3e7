#include "image/snapshot/driver_options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace berth::image {
namespace {

/// No device of the kernel's is larger.
constexpr std::uint64_t kMaxSize = std::uint64_t{1} << 62;

Result<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::string_view kUnits = "KMGTP";
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  auto unit = error == std::errc() ? text.substr(static_cast<std::size_t>(end - text.data())) : "?";
  for (const std::string_view ending : {"iB", "B", "b"}) {
    if (!unit.ends_with(ending)) continue;
    unit.remove_suffix(ending.size());
    break;
  }
  std::size_t power = 0;
  if (unit.size() == 1) {
    const char letter = unit[0] >= 'a' ? static_cast<char>(unit[0] - 'a' + 'A') : unit[0];
    power = kUnits.find(letter) + 1;  // 0: not found
  }
  const bool good = size > 0 && unit.size() <= 1 && (unit.empty() || power > 0) &&
                    size <= kMaxSize >> (10 * power);
  if (good) return size << (10 * power);
  return fail(ErrorKind::kInvalid, "'{}' is no size, such as 10G", text);
}

template <std::uint64_t ThinPoolOptions::* Member>
Result<void> set_size(DriverOptions& options, std::string_view value) {
  options.thin_pool.*Member = TRY(parse_size(value));
  return {};
}

Result<void> set_pool(DriverOptions& options, std::string_view value) {
  constexpr std::string_view kPlace = "/dev/mapper/";
  if (value.starts_with(kPlace)) value.remove_prefix(kPlace.size());
  if (value.empty() || value.find('/') != std::string_view::npos)
    return fail(ErrorKind::kInvalid, "'{}' is no name of a thin pool: /dev/mapper/NAME", value);
  options.thin_pool.existing = value;
  return {};
}

struct Key {
  std::string_view key;
  std::string_view driver;
  Result<void> (*set)(DriverOptions& options, std::string_view value);
};
constexpr auto kKeys = std::to_array<Key>({
    {"dm.basesize", "devicemapper", set_size<&ThinPoolOptions::device>},
    {"dm.loopdatasize", "devicemapper", set_size<&ThinPoolOptions::data>},
    {"dm.loopmetadatasize", "devicemapper", set_size<&ThinPoolOptions::metadata>},
    {"dm.thinpooldev", "devicemapper", set_pool},
});

}  // namespace

Result<DriverOptions> parse_driver_options(std::string_view driver,
                                           std::span<const std::string> words) {
  DriverOptions options;
  for (const std::string& word : words) {
    const auto equals = std::min(word.find('='), word.size());
    const auto key = std::string_view(word).substr(0, equals);
    const auto found = std::ranges::find(kKeys, key, &Key::key);
    if (equals == word.size() || found == kKeys.end()) {
      std::string known;
      for (const Key& row : kKeys) known += fmt::format("{}{}", known.empty() ? "" : ", ", row.key);
      return fail(ErrorKind::kInvalid, "'{}' is no option of a storage driver: there are {}", word,
                  known);
    }
    if (driver != found->driver) {
      return fail(ErrorKind::kInvalid, "{} is for the {} storage driver: name that, too", key,
                  found->driver);
    }
    TRY(found->set(options, std::string_view(word).substr(equals + 1)).context(key));
  }
  return options;
}

}  // namespace berth::image
