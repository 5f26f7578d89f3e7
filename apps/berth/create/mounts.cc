#include "berth/create/mounts.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>

#include "berth/create/pairs.h"
#include "berth/format/units.h"

namespace berth::cli {
namespace {

// A path relative to the working directory, which the engine does not share.
std::string absolute_if_relative(std::string_view path) {
  if (!path.starts_with('.')) return std::string(path);
  std::error_code error;
  const auto absolute = std::filesystem::absolute(path, error);
  if (error) return std::string(path);
  std::string normal = absolute.lexically_normal().string();
  if (normal.size() > 1 && normal.ends_with('/')) normal.pop_back();
  return normal;
}

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

Result<Json> to_bool(std::string_view key, std::string_view value) {
  if (value == "true" || value == "1" || value.empty()) return Json(true);
  if (value == "false" || value == "0") return Json(false);
  return fail(ErrorKind::kInvalid, "invalid value for {}: {}", key, value);
}

enum class Value : std::uint8_t { kText, kLower, kPath, kBool, kBytes, kMode, kPair };

// Which member of the entry an option sets, and which mount type may have it.
struct MountOption {
  std::string_view name;
  Value value;
  const char* pointer;      // RFC 6901, into the entry
  std::string_view type{};  // empty: any
};
constexpr std::array<MountOption, 18> kMountOptions = {{
    {"type", Value::kLower, "/Type"},
    {"source", Value::kPath, "/Source"},
    {"src", Value::kPath, "/Source"},
    {"target", Value::kText, "/Target"},
    {"dst", Value::kText, "/Target"},
    {"destination", Value::kText, "/Target"},
    {"readonly", Value::kBool, "/ReadOnly"},
    {"ro", Value::kBool, "/ReadOnly"},
    {"consistency", Value::kLower, "/Consistency"},
    {"bind-propagation", Value::kLower, "/BindOptions/Propagation", "bind"},
    {"bind-create-src", Value::kBool, "/BindOptions/CreateMountpoint", "bind"},
    {"volume-subpath", Value::kText, "/VolumeOptions/Subpath", "volume"},
    {"volume-nocopy", Value::kBool, "/VolumeOptions/NoCopy", "volume"},
    {"volume-label", Value::kPair, "/VolumeOptions/Labels", "volume"},
    {"volume-driver", Value::kText, "/VolumeOptions/DriverConfig/Name", "volume"},
    {"volume-opt", Value::kPair, "/VolumeOptions/DriverConfig/Options", "volume"},
    {"tmpfs-size", Value::kBytes, "/TmpfsOptions/SizeBytes", "tmpfs"},
    {"tmpfs-mode", Value::kMode, "/TmpfsOptions/Mode", "tmpfs"},
}};

// bind-recursive is one word for three switches.
struct Recursion {
  std::string_view word;
  const char* pointer;  // null: the default
};
constexpr std::array<Recursion, 4> kRecursions = {
    {{"enabled", nullptr},
     {"disabled", "/BindOptions/NonRecursive"},
     {"writable", "/BindOptions/ReadOnlyNonRecursive"},
     {"readonly", "/BindOptions/ReadOnlyForceRecursive"}}};

Result<void> set_option(Json& mount, const MountOption& option, const std::string& value) {
  Json& member = mount[Json::json_pointer(option.pointer)];
  switch (option.value) {
    case Value::kText:
      member = value;
      break;
    case Value::kLower:
      member = lowered(value);
      break;
    case Value::kPath:
      member = absolute_if_relative(value);
      break;
    case Value::kBool:
      member = TRY(to_bool(option.name, value));
      break;
    case Value::kBytes: {
      const auto bytes = parse_bytes(value);
      if (!bytes.ok())
        return fail(ErrorKind::kInvalid, "invalid value for {}: {}", option.name, value);
      member = *bytes;
      break;
    }
    case Value::kMode: {
      unsigned mode = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), mode, 8);
      if (error != std::errc() || end != value.data() + value.size() || mode > 07777)
        return fail(ErrorKind::kInvalid, "invalid value for {}: {}", option.name, value);
      member = mode;
      break;
    }
    case Value::kPair: {
      const auto equals = value.find('=');
      member[value.substr(0, equals)] = equals == std::string::npos ? "" : value.substr(equals + 1);
      break;
    }
  }
  return {};
}

Result<void> set_field(Json& mount, std::vector<const MountOption*>& used,
                       const std::string& field) {
  const auto equals = field.find('=');
  const std::string key = lowered(field.substr(0, equals));
  const std::string value = equals == std::string::npos ? "" : field.substr(equals + 1);
  if (key.find(' ') != std::string::npos ||
      (!value.empty() && (value.front() == ' ' || value.back() == ' ')))
    return fail(ErrorKind::kInvalid, "invalid option in '{}': it should not have whitespace",
                field);
  if (equals != std::string::npos && value.empty())
    return fail(ErrorKind::kInvalid, "invalid value for '{}': value is empty", key);

  if (key == "bind-recursive") {
    for (const Recursion& recursion : kRecursions) {
      if (recursion.word != value) continue;
      if (recursion.pointer) mount[Json::json_pointer(recursion.pointer)] = true;
      return {};
    }
    return fail(ErrorKind::kInvalid,
                "invalid value for bind-recursive: {} (must be \"enabled\", \"disabled\", "
                "\"writable\", or \"readonly\")",
                value);
  }
  const auto* const option = std::ranges::find(kMountOptions, key, &MountOption::name);
  if (option == kMountOptions.end())
    return fail(ErrorKind::kInvalid, "unknown option '{}' in '{}'", key, field);
  if (equals == std::string::npos && option->value != Value::kBool)
    return fail(ErrorKind::kInvalid, "invalid field '{}' must be a key=value pair", field);
  used.push_back(option);
  return set_option(mount, *option, value);
}

}  // namespace

Result<VolumeFlag> parse_volume(std::string_view text) {
  VolumeFlag volume;
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) {
    if (text.empty()) return fail(ErrorKind::kInvalid, "invalid empty volume spec");
    volume.target = text;
    return volume;
  }
  const std::string_view source = text.substr(0, colon);
  const std::string_view rest = text.substr(colon + 1);
  if (source.empty() || rest.empty() || rest.starts_with(':') || std::ranges::count(rest, ':') > 1)
    return fail(ErrorKind::kInvalid,
                "invalid volume specification: '{}', expected [source:]target[:options]", text);
  volume.bind = fmt::format("{}:{}", absolute_if_relative(source), rest);
  return volume;
}

Result<Json> parse_mount(std::string_view text) {
  Json mount = {{"Type", "volume"}};
  std::vector<const MountOption*> used;
  for (const auto& field : TRY(split_csv(text))) TRY(set_field(mount, used, field));

  const std::string type = mount["Type"].get<std::string>();
  if (!mount.contains("Target")) return fail(ErrorKind::kInvalid, "target is required");
  if (type == "bind" && !mount.contains("Source"))
    return fail(ErrorKind::kInvalid, "source is required for a bind mount");
  if (mount.contains("BindOptions") && type != "bind")
    return fail(ErrorKind::kInvalid, "cannot mix 'bind-*' options with mount type '{}'", type);
  for (const MountOption* option : used)
    if (!option->type.empty() && option->type != type)
      return fail(ErrorKind::kInvalid, "cannot mix '{}-*' options with mount type '{}'",
                  option->type, type);
  return mount;
}

}  // namespace berth::cli
