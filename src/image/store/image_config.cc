#include "image/store/image_config.h"

#include "base/json.h"
#include "image/content/hasher.h"

namespace berth::image {
namespace {

/// Authors write all kinds of dates, the year 1 among them; a date is no reason to refuse an image.
WallTime time_of(const std::string& text) {
  if (text.empty() || text == kZeroTime) return {};
  auto time = parse_rfc3339(text);
  return time.ok() ? *time : WallTime{};
}

/// Sets of names are objects with empty members: {"80/tcp": {}}.
Result<std::vector<std::string>> get_keys(const Json& object, std::string_view key) {
  std::vector<std::string> keys;
  const Json* member = find_member(object, key);
  if (member == nullptr) return keys;
  if (!member->is_object()) return fail(ErrorKind::kInvalid, "{} is not an object", key);
  for (const auto& item : member->items()) keys.push_back(item.key());
  return keys;
}

Result<ImageConfig> parse_run_config(const Json& json) {
  ImageConfig config;
  config.entrypoint = TRY(get_strings(json, "Entrypoint"));
  config.cmd = TRY(get_strings(json, "Cmd"));
  config.env = TRY(get_strings(json, "Env"));
  config.working_dir = TRY(get_string(json, "WorkingDir"));
  config.user = TRY(get_string(json, "User"));
  config.stop_signal = TRY(get_string(json, "StopSignal"));
  config.labels = TRY(get_string_map(json, "Labels"));
  config.exposed_ports = TRY(get_keys(json, "ExposedPorts"));
  config.volumes = TRY(get_keys(json, "Volumes"));
  return config;
}

Result<std::vector<HistoryEntry>> parse_history(const Json& root) {
  std::vector<HistoryEntry> history;
  const Json* entries = find_member(root, "history");
  if (entries == nullptr) return history;
  if (!entries->is_array()) return fail(ErrorKind::kInvalid, "history is not a list");
  for (const Json& entry : *entries) {
    history.push_back({time_of(TRY(get_string(entry, "created"))),
                       TRY(get_string(entry, "created_by")), TRY(get_string(entry, "comment")),
                       TRY(get_bool(entry, "empty_layer")), TRY(get_string(entry, "author"))});
  }
  return history;
}

Result<std::vector<std::string>> parse_diff_ids(const Json& root) {
  const Json* rootfs = find_member(root, "rootfs");
  if (rootfs == nullptr || !rootfs->is_object()) {
    return fail(ErrorKind::kInvalid, "it has no rootfs, so it is not the config of an image");
  }
  const std::string type = TRY(get_string(*rootfs, "type", "layers"));
  if (type != "layers") return fail(ErrorKind::kInvalid, "its rootfs is '{}', not layers", type);
  auto ids = TRY(get_strings(*rootfs, "diff_ids"));
  if (ids.size() > kMaxLayers) {
    return fail(ErrorKind::kInvalid, "it has {} layers, the most is {}", ids.size(), kMaxLayers);
  }
  for (const std::string& id : ids) {
    if (TRY(Digest::parse(id)).algorithm() != "sha256") {
      return fail(ErrorKind::kUnsupported, "layer {} is not named by sha256", id);
    }
  }
  return ids;
}

Result<Image> parse_root(const Json& root) {
  if (!root.is_object()) return fail(ErrorKind::kInvalid, "it is not a JSON object");
  Image image;
  image.diff_ids = TRY(parse_diff_ids(root));
  if (const Json* config = find_member(root, "config"); config != nullptr) {
    image.config = TRY(parse_run_config(*config));
  }
  image.history = TRY(parse_history(root));
  image.architecture = TRY(get_string(root, "architecture"));
  image.os = TRY(get_string(root, "os", "linux"));
  image.author = TRY(get_string(root, "author"));
  image.comment = TRY(get_string(root, "comment"));
  image.created = time_of(TRY(get_string(root, "created")));
  return image;
}

OrderedJson set_of(const std::vector<std::string>& keys) {
  OrderedJson set = OrderedJson::object();
  for (const std::string& key : keys) set[key] = OrderedJson::object();
  return set;
}

OrderedJson run_config_json(const ImageConfig& config) {
  OrderedJson json = OrderedJson::object();
  if (!config.user.empty()) json["User"] = config.user;
  if (!config.exposed_ports.empty()) json["ExposedPorts"] = set_of(config.exposed_ports);
  if (!config.env.empty()) json["Env"] = config.env;
  if (!config.entrypoint.empty()) json["Entrypoint"] = config.entrypoint;
  if (!config.cmd.empty()) json["Cmd"] = config.cmd;
  if (!config.volumes.empty()) json["Volumes"] = set_of(config.volumes);
  if (!config.working_dir.empty()) json["WorkingDir"] = config.working_dir;
  if (!config.labels.empty()) json["Labels"] = config.labels;
  if (!config.stop_signal.empty()) json["StopSignal"] = config.stop_signal;
  return json;
}

}  // namespace

Result<Image> parse_image_config(std::string_view json) {
  const Json root = TRY(parse_json(json).context("image config"));
  return parse_root(root).context("image config");
}

std::string make_image_config(const Image& image) {
  OrderedJson root;
  root["created"] = format_rfc3339(image.created);
  if (!image.author.empty()) root["author"] = image.author;
  root["architecture"] = image.architecture;
  root["os"] = image.os;
  if (!image.comment.empty()) root["comment"] = image.comment;
  root["config"] = run_config_json(image.config);
  root["rootfs"] = {{"type", "layers"}, {"diff_ids", image.diff_ids}};
  root["history"] = OrderedJson::array();
  for (const HistoryEntry& entry : image.history) {
    OrderedJson json{{"created", format_rfc3339(entry.created)}};
    if (!entry.author.empty()) json["author"] = entry.author;
    if (!entry.created_by.empty()) json["created_by"] = entry.created_by;
    if (!entry.comment.empty()) json["comment"] = entry.comment;
    if (entry.empty_layer) json["empty_layer"] = true;
    root["history"].push_back(std::move(json));
  }
  return dump_json(root);
}

std::vector<std::string> chain_ids(const std::vector<std::string>& diff_ids) {
  std::vector<std::string> chain;
  for (const std::string& diff_id : diff_ids) {
    chain.push_back(chain.empty() ? diff_id : sha256_of(chain.back() + " " + diff_id).str());
  }
  return chain;
}

std::string_view host_architecture() {
#if defined(__x86_64__)
  return "amd64";
#elif defined(__aarch64__)
  return "arm64";
#else
#error "no image architecture is known for this machine"
#endif
}

}  // namespace berth::image
