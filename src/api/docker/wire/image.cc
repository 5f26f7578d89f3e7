#include "api/docker/wire/image.h"

#include <algorithm>
#include <chrono>

namespace berth::docker {
namespace {

using image::Image;

// The last version whose answers had VirtualSize beside Size.
constexpr ApiVersion kLastWithVirtualSize{.major = 1, .minor = 43};

std::int64_t unix_seconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

OrderedJson set_json(const std::vector<std::string>& keys) {
  if (keys.empty()) return {};
  OrderedJson set = OrderedJson::object();
  for (const std::string& key : keys) set[key] = OrderedJson::object();
  return set;
}

OrderedJson or_null(const std::vector<std::string>& list) {
  return list.empty() ? OrderedJson() : OrderedJson(list);
}

OrderedJson config_json(const image::ImageConfig& config) {
  OrderedJson json;
  json["Hostname"] = "";
  json["Domainname"] = "";
  json["User"] = config.user;
  json["AttachStdin"] = false;
  json["AttachStdout"] = false;
  json["AttachStderr"] = false;
  if (!config.exposed_ports.empty()) json["ExposedPorts"] = set_json(config.exposed_ports);
  json["Tty"] = false;
  json["OpenStdin"] = false;
  json["StdinOnce"] = false;
  json["Env"] = or_null(config.env);
  json["Cmd"] = or_null(config.cmd);
  json["Image"] = "";
  json["Volumes"] = set_json(config.volumes);
  json["WorkingDir"] = config.working_dir;
  json["Entrypoint"] = or_null(config.entrypoint);
  json["OnBuild"] = nullptr;
  json["Labels"] = config.labels.empty() ? OrderedJson() : OrderedJson(config.labels);
  if (!config.stop_signal.empty()) json["StopSignal"] = config.stop_signal;
  return json;
}

}  // namespace

OrderedJson image_summary_json(const Image& image, std::int64_t containers, ApiVersion version) {
  OrderedJson json;
  json["Containers"] = containers;
  json["Created"] = unix_seconds(image.created);
  json["Id"] = image.id;
  json["Labels"] = image.config.labels.empty() ? OrderedJson() : OrderedJson(image.config.labels);
  json["ParentId"] = "";
  json["RepoDigests"] = image.repo_digests;
  json["RepoTags"] = image.repo_tags;
  json["SharedSize"] = -1;
  json["Size"] = image.size;
  if (version <= kLastWithVirtualSize) json["VirtualSize"] = image.size;
  return json;
}

OrderedJson image_inspect_json(const Image& image, const std::string& storage_driver,
                               ApiVersion version) {
  OrderedJson json;
  json["Id"] = image.id;
  json["RepoTags"] = image.repo_tags;
  json["RepoDigests"] = image.repo_digests;
  json["Parent"] = "";
  json["Comment"] = image.comment;
  json["Created"] = format_rfc3339(image.created);
  json["DockerVersion"] = "";
  json["Author"] = image.author;
  json["Config"] = config_json(image.config);
  json["Architecture"] = image.architecture;
  json["Os"] = image.os;
  json["Size"] = image.size;
  if (version <= kLastWithVirtualSize) json["VirtualSize"] = image.size;
  json["GraphDriver"] = {{"Data", nullptr}, {"Name", storage_driver}};
  json["RootFS"] = {{"Type", "layers"}, {"Layers", image.diff_ids}};
  json["Metadata"] = {{"LastTagTime", kZeroTime}};
  return json;
}

OrderedJson image_history_json(const Image& image) {
  OrderedJson history = OrderedJson::array();
  auto size = image.layer_sizes.rbegin();
  for (auto entry = image.history.rbegin(); entry != image.history.rend(); ++entry) {
    const bool newest = entry == image.history.rbegin();
    const bool has_layer = !entry->empty_layer && size != image.layer_sizes.rend();
    const std::int64_t bytes = has_layer ? *size++ : 0;
    history.push_back({{"Id", newest ? image.id : "<missing>"},
                       {"Created", unix_seconds(entry->created)},
                       {"CreatedBy", entry->created_by},
                       {"Tags", newest ? or_null(image.repo_tags) : OrderedJson()},
                       {"Size", bytes},
                       {"Comment", entry->comment}});
  }
  return history;
}

OrderedJson image_removal_json(const image::RemoveResult& removed) {
  OrderedJson list = OrderedJson::array();
  for (const std::string& name : removed.untagged) list.push_back({{"Untagged", name}});
  for (const std::string& id : removed.deleted) list.push_back({{"Deleted", id}});
  return list;
}

}  // namespace berth::docker
