// The answer of POST /system/check, which Docker's API does not have.
#pragma once

#include "base/json.h"
#include "image/check.h"

namespace berth::docker {

/// {"Images":N,"Snapshots":N,"Blobs":N,"Damages":[{"Kind":"bad blob","Subject":"sha256:...",
/// "Detail":"...","Repaired":false},...]}
OrderedJson image_check_json(const image::CheckReport& report);

}  // namespace berth::docker
