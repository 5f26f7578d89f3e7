#include "container/checkpoint/criu_messages.h"

#include <algorithm>
#include <array>

#include "container/checkpoint/protobuf.h"

namespace berth::container {
namespace {

template <typename T>
struct FieldRow {
  std::uint32_t field;
  T CriuOptions::* member;
};

constexpr auto kNumbers = std::to_array<FieldRow<std::int32_t>>({
    {1, &CriuOptions::images_fd},
    {2, &CriuOptions::pid},
    {9, &CriuOptions::log_level},
    {17, &CriuOptions::work_fd},
});

constexpr auto kTexts = std::to_array<FieldRow<std::string>>({
    {10, &CriuOptions::log_file},
    {13, &CriuOptions::root},
    {14, &CriuOptions::parent_images},
    {44, &CriuOptions::freeze_cgroup},
    {51, &CriuOptions::config_file},
    {53, &CriuOptions::lsm_profile},
    {63, &CriuOptions::lsm_mount_context},
});

constexpr auto kFlags = std::to_array<FieldRow<bool>>({
    {3, &CriuOptions::leave_running},
    {4, &CriuOptions::external_unix_sockets},
    {5, &CriuOptions::tcp_established},
    {6, &CriuOptions::evasive_devices},
    {7, &CriuOptions::shell_job},
    {8, &CriuOptions::file_locks},
    {12, &CriuOptions::notify_scripts},
    {15, &CriuOptions::track_memory},
    {16, &CriuOptions::auto_dedup},
    {18, &CriuOptions::link_remap},
    {24, &CriuOptions::manage_cgroups},
    {26, &CriuOptions::restore_sibling},
    {46, &CriuOptions::tcp_skip_in_flight},
    {48, &CriuOptions::lazy_pages},
    {50, &CriuOptions::orphan_pts_master},
});

// criu_opts.
enum : std::uint32_t {
  kPageServer = 11,
  kCgroupRoot = 25,
  kInheritFd = 27,
  kCgroupMode = 34,
  kExternal = 37,
  kEmptyNamespaces = 38,
  kJoinNamespace = 39,
};

// criu_req.
enum : std::uint32_t { kType = 1, kOptions = 2, kNotifySuccess = 3, kKeepOpen = 4, kFeatures = 5 };

constexpr int kMaxVersionPart = 99;

struct VerbName {
  CriuVerb verb;
  std::string_view name;
};
constexpr auto kVerbNames = std::to_array<VerbName>({
    {CriuVerb::kDump, "dump"},
    {CriuVerb::kRestore, "restore"},
    {CriuVerb::kPreDump, "pre-dump"},
    {CriuVerb::kNotify, "notify"},
    {CriuVerb::kFeatureCheck, "feature check"},
    {CriuVerb::kVersion, "version"},
});

void write_pair(ProtobufWriter& out, std::uint32_t field, std::string_view first,
                std::string_view second) {
  ProtobufWriter pair;
  pair.bytes(1, first);
  pair.bytes(2, second);
  out.bytes(field, pair.take());
}

void write_pair(ProtobufWriter& out, std::uint32_t field, std::string_view text,
                std::int64_t number) {
  ProtobufWriter pair;
  pair.bytes(1, text);
  pair.number(2, number);
  out.bytes(field, pair.take());
}

// Calls `visit(reader)` for each field of a message in the response; false: it is none.
template <typename Visit>
bool read_message(std::string_view bytes, Visit visit) {
  ProtobufReader reader(bytes);
  while (reader.next()) visit(reader);
  return reader.ok();
}

bool read_notify(std::string_view bytes, CriuResponse& response) {
  return read_message(bytes, [&](const ProtobufReader& field) {
    if (field.field() == 1) response.script = field.bytes();
    if (field.field() == 2) response.pid = field.int32();
  });
}

bool read_restore(std::string_view bytes, CriuResponse& response) {
  return read_message(bytes, [&](const ProtobufReader& field) {
    if (field.field() == 1) response.pid = field.int32();
  });
}

bool read_features(std::string_view bytes, CriuFeatures& features) {
  return read_message(bytes, [&](const ProtobufReader& field) {
    if (field.field() == 1) features.memory_tracking = field.flag();
    if (field.field() == 2) features.lazy_pages = field.flag();
  });
}

bool read_version(std::string_view bytes, int& version) {
  int major = 0, minor = 0, sublevel = 0;
  const bool read = read_message(bytes, [&](const ProtobufReader& field) {
    if (field.field() == 1) major = field.int32();
    if (field.field() == 2) minor = field.int32();
    if (field.field() == 4) sublevel = field.int32();
  });
  for (const int part : {major, minor, sublevel})
    if (part < 0 || part > kMaxVersionPart) return false;
  version = major * 10000 + minor * 100 + sublevel;
  return read;
}

}  // namespace

std::string_view to_string(CriuVerb verb) {
  const auto row = std::ranges::find(kVerbNames, verb, &VerbName::verb);
  return row == kVerbNames.end() ? "request" : row->name;
}

std::string encode(const CriuOptions& options) {
  ProtobufWriter out;
  for (const auto& [field, member] : kNumbers)
    if (options.*member >= 0) out.number(field, options.*member);
  for (const auto& [field, member] : kTexts)
    if (!(options.*member).empty()) out.bytes(field, options.*member);
  for (const auto& [field, member] : kFlags)
    if (options.*member) out.flag(field, true);
  if (options.cgroup_mode) out.number(kCgroupMode, static_cast<std::int64_t>(*options.cgroup_mode));
  if (options.empty_namespaces != 0) out.number(kEmptyNamespaces, options.empty_namespaces);
  if (options.page_server)
    write_pair(out, kPageServer, options.page_server->address, options.page_server->port);
  for (const std::string& external : options.external) out.bytes(kExternal, external);
  for (const auto& [controller, path] : options.cgroup_roots)
    write_pair(out, kCgroupRoot, controller, path);
  for (const auto& [key, fd] : options.inherited_fds) write_pair(out, kInheritFd, key, fd);
  for (const auto& [name, file] : options.joined_namespaces)
    write_pair(out, kJoinNamespace, name, file);
  return out.take();
}

std::string encode_request(CriuVerb verb, const CriuOptions* options, bool keep_open) {
  ProtobufWriter out;
  out.number(kType, static_cast<std::int64_t>(verb));
  if (options) out.bytes(kOptions, encode(*options));
  if (keep_open) out.flag(kKeepOpen, true);
  return out.take();
}

std::string encode_feature_check(const CriuFeatures& wanted) {
  ProtobufWriter features;
  if (wanted.memory_tracking) features.flag(1, true);
  if (wanted.lazy_pages) features.flag(2, true);
  ProtobufWriter out;
  out.number(kType, static_cast<std::int64_t>(CriuVerb::kFeatureCheck));
  out.flag(kKeepOpen, true);
  out.bytes(kFeatures, features.take());
  return out.take();
}

std::string encode_notify_reply(bool success) {
  ProtobufWriter out;
  out.number(kType, static_cast<std::int64_t>(CriuVerb::kNotify));
  out.flag(kNotifySuccess, success);
  return out.take();
}

Result<CriuResponse> decode_response(std::string_view bytes) {
  CriuResponse response;
  bool has_type = false, has_success = false, parts = true;
  const bool whole = read_message(bytes, [&](const ProtobufReader& field) {
    switch (field.field()) {
      case 1:
        response.type = static_cast<std::uint32_t>(field.number());
        has_type = !field.is_bytes();
        break;
      case 2:
        response.success = field.flag();
        has_success = !field.is_bytes();
        break;
      case 4:
        parts &= read_restore(field.bytes(), response);
        break;
      case 5:
        parts &= read_notify(field.bytes(), response);
        break;
      case 7:
        response.error = field.int32();
        break;
      case 8:
        parts &= read_features(field.bytes(), response.features);
        break;
      case 9:
        response.message = field.bytes();
        break;
      case 10:
        parts &= read_version(field.bytes(), response.version);
        break;
      default:
        break;
    }
  });
  if (!whole || !parts || !has_type || !has_success)
    return fail(ErrorKind::kCorrupt, "what criu answered is no criu_resp ({} bytes)", bytes.size());
  return response;
}

}  // namespace berth::container
