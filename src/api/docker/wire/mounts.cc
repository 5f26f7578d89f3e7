#include "api/docker/wire/mounts.h"

#include <algorithm>
#include <array>

namespace berth::docker {
namespace {

using engine::MountKind;
using engine::MountRequest;

// Docker's own clients stop far below it.
constexpr std::size_t kMaxMounts = 1024;

constexpr std::array<std::string_view, 6> kPropagation = {"private", "rprivate", "slave",
                                                          "rslave",  "shared",   "rshared"};

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool is_propagation(std::string_view option) {
  return std::ranges::find(kPropagation, option) != kPropagation.end();
}

Result<void> apply_bind_option(const std::string& option, std::string_view bind,
                               MountRequest& mount) {
  // SELinux labels are for hosts that have it; nocopy and the consistency modes change nothing
  // here.
  static constexpr std::array<std::string_view, 8> kNoEffect = {
      "", "rw", "z", "Z", "nocopy", "consistent", "cached", "delegated"};
  if (option == "ro") {
    mount.read_only = true;
  } else if (is_propagation(option)) {
    if (mount.kind != MountKind::kBind)
      return fail(ErrorKind::kInvalid,
                  "invalid volume specification: '{}': propagation is for bind mounts", bind);
    mount.options.push_back(option);
  } else if (std::ranges::find(kNoEffect, option) == kNoEffect.end()) {
    return fail(ErrorKind::kInvalid, "invalid volume specification: '{}': unknown option '{}'",
                bind, option);
  }
  return {};
}

Result<void> parse_bind_options(const Json& options, MountRequest& mount) {
  const std::string propagation = TRY(get_string(options, "Propagation"));
  if (!propagation.empty()) {
    if (!is_propagation(propagation))
      return fail(ErrorKind::kInvalid, "invalid propagation mode '{}'", propagation);
    mount.options.push_back(propagation);
  }
  if (TRY(get_bool(options, "NonRecursive")))
    return fail(ErrorKind::kUnsupported, "bind-nonrecursive is not supported yet");
  if (TRY(get_bool(options, "ReadOnlyForceRecursive")))
    return fail(ErrorKind::kUnsupported, "bind-recursive=readonly is not supported yet");
  mount.create_source = TRY(get_bool(options, "CreateMountpoint"));
  return {};
}

Result<void> parse_tmpfs_options(const Json& options, MountRequest& mount) {
  if (const auto size = TRY(get_int(options, "SizeBytes")); size > 0)
    mount.options.push_back(fmt::format("size={}", size));
  if (const auto mode = TRY(get_int(options, "Mode")); mode > 0) {
    if (mode > 07777) return fail(ErrorKind::kInvalid, "invalid tmpfs mode {:o}", mode);
    mount.options.push_back(fmt::format("mode={:o}", mode));
  }
  return {};
}

Result<void> parse_volume_options(const Json& options) {
  if (const Json* driver = find_member(options, "DriverConfig")) {
    const std::string name = TRY(get_string(*driver, "Name"));
    if (!name.empty() && name != "local")
      return fail(ErrorKind::kUnsupported, "volume driver '{}' is not supported: volumes are local",
                  name);
  }
  if (!TRY(get_string(options, "Subpath")).empty())
    return fail(ErrorKind::kUnsupported, "volume-subpath is not supported yet");
  return {};
}

Result<MountRequest> parse_mount(const Json& item) {
  if (!item.is_object())
    return fail(ErrorKind::kInvalid, "Mounts holds something that is no object");
  MountRequest mount;
  const std::string type = TRY(get_string(item, "Type"));
  mount.source = TRY(get_string(item, "Source"));
  mount.target = TRY(get_string(item, "Target"));
  mount.read_only = TRY(get_bool(item, "ReadOnly"));
  const Json* options = nullptr;
  if (type == "bind") {
    mount.kind = MountKind::kBind;
    if ((options = find_member(item, "BindOptions")) != nullptr)
      TRY(parse_bind_options(*options, mount));
  } else if (type == "volume") {
    mount.kind = MountKind::kVolume;
    if ((options = find_member(item, "VolumeOptions")) != nullptr)
      TRY(parse_volume_options(*options));
  } else if (type == "tmpfs") {
    mount.kind = MountKind::kTmpfs;
    if (!mount.source.empty())
      return fail(ErrorKind::kInvalid,
                  "invalid mount config for type \"tmpfs\": field Source must not be specified");
    if ((options = find_member(item, "TmpfsOptions")) != nullptr)
      TRY(parse_tmpfs_options(*options, mount));
  } else {
    return fail(ErrorKind::kUnsupported,
                "mount type '{}' is not supported: use bind, volume or tmpfs", type);
  }
  return mount;
}

}  // namespace

Result<MountRequest> parse_bind(std::string_view text) {
  const std::vector<std::string> parts = split(text, ':');
  if (parts.size() > 3 || parts.size() < 2 || parts[0].empty() || parts[1].empty())
    return fail(ErrorKind::kInvalid, "invalid volume specification: '{}'", text);
  MountRequest mount;
  mount.source = parts[0];
  mount.target = parts[1];
  mount.spelled = text;
  mount.kind = parts[0][0] == '/' ? MountKind::kBind : MountKind::kVolume;
  mount.create_source = mount.kind == MountKind::kBind;
  if (mount.target[0] != '/')
    return fail(ErrorKind::kInvalid,
                "invalid volume specification: '{}': invalid mount path: '{}' mount path must be "
                "absolute",
                text, mount.target);
  if (mount.kind == MountKind::kVolume && mount.source.find('/') != std::string::npos) {
    return fail(ErrorKind::kInvalid,
                "invalid volume specification: '{}': \"{}\" is neither an absolute path nor a "
                "volume's name",
                text, mount.source);
  }
  if (parts.size() == 3) {
    for (const std::string& option : split(parts[2], ','))
      TRY(apply_bind_option(option, text, mount));
  }
  return mount;
}

Result<void> parse_mounts(const Json& host_config, std::vector<MountRequest>& mounts) {
  for (const std::string& bind : TRY(get_strings(host_config, "Binds")))
    mounts.push_back(TRY(parse_bind(bind)));
  if (const Json* list = find_member(host_config, "Mounts")) {
    if (!list->is_array()) return fail(ErrorKind::kInvalid, "Mounts is not a list");
    for (const Json& item : *list) mounts.push_back(TRY(parse_mount(item)));
  }
  for (const auto& [target, options] : TRY(get_string_map(host_config, "Tmpfs"))) {
    MountRequest mount;
    mount.kind = MountKind::kTmpfs;
    mount.target = target;
    for (std::string& option : split(options, ',')) {
      if (option == "ro") mount.read_only = true;
      if (!option.empty() && option != "ro" && option != "rw")
        mount.options.push_back(std::move(option));
    }
    mounts.push_back(std::move(mount));
  }
  if (mounts.size() > kMaxMounts)
    return fail(ErrorKind::kExhausted, "more than {} mounts", kMaxMounts);
  return {};
}

OrderedJson mount_point_json(const engine::MountPoint& mount) {
  OrderedJson json;
  switch (mount.kind) {
    case MountKind::kBind:
      json["Type"] = "bind";
      break;
    case MountKind::kVolume:
      json["Type"] = "volume";
      json["Name"] = mount.name;
      break;
    case MountKind::kTmpfs:
      json["Type"] = "tmpfs";
      break;
  }
  json["Source"] = mount.source;
  json["Destination"] = mount.destination;
  if (mount.kind == MountKind::kVolume) json["Driver"] = "local";
  json["Mode"] = mount.read_only ? "ro" : "";
  json["RW"] = !mount.read_only;
  json["Propagation"] = mount.propagation;
  return json;
}

OrderedJson binds_json(const std::vector<MountRequest>& mounts) {
  OrderedJson binds;  // null if there are none, as Docker has it
  for (const MountRequest& mount : mounts) {
    if (!mount.spelled.empty()) binds.push_back(mount.spelled);
  }
  return binds;
}

}  // namespace berth::docker
