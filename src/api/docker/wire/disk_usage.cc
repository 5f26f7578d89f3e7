#include "api/docker/wire/disk_usage.h"

#include "api/docker/wire/container_view.h"
#include "api/docker/wire/image.h"

namespace berth::docker {
namespace {

OrderedJson images_json(const engine::DiskUsage& usage, ApiVersion version) {
  OrderedJson list = OrderedJson::array();
  for (const auto& use : usage.images) {
    list.push_back(image_summary_json(use.image, use.workloads, version));
    OrderedJson& json = list.back();
    for (const char* name : {"Size", "VirtualSize"})
      if (json.contains(name)) json[name] = use.size;
    json["SharedSize"] = use.shared;
  }
  return list;
}

OrderedJson containers_json(const engine::DiskUsage& usage) {
  const WallTime at = now();
  OrderedJson list = OrderedJson::array();
  for (const auto& use : usage.workloads) {
    list.push_back(container_summary_json(use.view, at));
    list.back()["SizeRw"] = use.written;
    list.back()["SizeRootFs"] = use.whole;
  }
  return list;
}

OrderedJson volumes_json(const engine::DiskUsage& usage) {
  OrderedJson list = OrderedJson::array();
  for (const auto& use : usage.volumes) {
    OrderedJson labels;
    if (use.anonymous) labels = {{"com.docker.volume.anonymous", ""}};
    list.push_back({{"Name", use.name},
                    {"Driver", "local"},
                    {"Mountpoint", use.path},
                    {"Labels", std::move(labels)},
                    {"Options", nullptr},
                    {"Scope", "local"},
                    {"UsageData", {{"RefCount", use.workloads}, {"Size", use.bytes}}}});
  }
  return list;
}

}  // namespace

Result<DiskUsageParts> parse_disk_usage_parts(const std::vector<std::string>& types) {
  if (types.empty()) return DiskUsageParts{};
  DiskUsageParts parts{.images = false, .containers = false, .volumes = false};
  for (const std::string& type : types) {
    if (type == "image") {
      parts.images = true;
    } else if (type == "container") {
      parts.containers = true;
    } else if (type == "volume") {
      parts.volumes = true;
    } else if (type != "build-cache") {
      return fail(ErrorKind::kInvalid, "unknown object type: {}", type);
    }
  }
  return parts;
}

OrderedJson disk_usage_json(const engine::DiskUsage& usage, DiskUsageParts parts,
                            ApiVersion version) {
  OrderedJson json;
  json["LayersSize"] = parts.images ? usage.store : 0;
  json["Images"] = parts.images ? images_json(usage, version) : OrderedJson();
  json["Containers"] = parts.containers ? containers_json(usage) : OrderedJson();
  json["Volumes"] = parts.volumes ? volumes_json(usage) : OrderedJson();
  json["BuildCache"] = OrderedJson::array();
  return json;
}

}  // namespace berth::docker
