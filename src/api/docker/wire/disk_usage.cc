#include "api/docker/wire/disk_usage.h"

#include <algorithm>
#include <map>

#include "api/docker/wire/container_view.h"
#include "api/docker/wire/image.h"

namespace berth::docker {
namespace {

OrderedJson volumes_json(const std::vector<engine::WorkloadView>& views) {
  struct Use {
    std::string source;
    int count = 0;
  };
  std::map<std::string, Use> volumes;
  for (const engine::WorkloadView& view : views) {
    for (const engine::MountPoint& mount : view.mounts) {
      if (mount.kind != engine::MountKind::kVolume) continue;
      Use& use = volumes[mount.name];
      use.source = mount.source;
      ++use.count;
    }
  }
  OrderedJson list = OrderedJson::array();
  for (const auto& [name, use] : volumes) {
    list.push_back({{"Name", name},
                    {"Driver", "local"},
                    {"Mountpoint", use.source},
                    {"Labels", nullptr},
                    {"Options", nullptr},
                    {"Scope", "local"},
                    {"UsageData", {{"RefCount", use.count}, {"Size", -1}}}});
  }
  return list;
}

}  // namespace

OrderedJson disk_usage_json(const std::vector<image::Image>& images,
                            const std::vector<engine::WorkloadView>& views, ApiVersion version) {
  std::int64_t layers_size = 0;
  OrderedJson image_list = OrderedJson::array();
  for (const image::Image& image : images) {
    layers_size += image.size;
    const auto users = std::ranges::count(views, image.id, &engine::WorkloadView::image_id);
    image_list.push_back(image_summary_json(image, users, version));
    image_list.back()["SharedSize"] = 0;
  }
  const WallTime at = now();
  OrderedJson containers = OrderedJson::array();
  for (const engine::WorkloadView& view : views)
    containers.push_back(container_summary_json(view, at));
  OrderedJson json;
  json["LayersSize"] = layers_size;
  json["Images"] = std::move(image_list);
  json["Containers"] = std::move(containers);
  json["Volumes"] = volumes_json(views);
  json["BuildCache"] = OrderedJson::array();
  return json;
}

}  // namespace berth::docker
