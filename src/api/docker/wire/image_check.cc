#include "api/docker/wire/image_check.h"

namespace berth::docker {

OrderedJson image_check_json(const image::CheckReport& report) {
  OrderedJson damages = OrderedJson::array();
  for (const image::Damage& damage : report.damages) {
    damages.push_back({{"Kind", to_string(damage.kind)},
                       {"Subject", damage.subject},
                       {"Detail", damage.detail},
                       {"Repaired", damage.repaired}});
  }
  return {{"Images", report.images},
          {"Snapshots", report.snapshots},
          {"Blobs", report.blobs},
          {"Damages", std::move(damages)}};
}

}  // namespace berth::docker
