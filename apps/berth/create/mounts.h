// -v, --mount and --tmpfs, as the request's Binds, Volumes, Mounts and Tmpfs.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace berth::cli {

struct VolumeFlag {
  std::string bind;    // "source:target[:options]", its source absolute if it was a path; or
  std::string target;  // of an anonymous volume
};

/// One -v: "target", "source:target" or "source:target:options". A source that starts with "." is
/// made absolute.
Result<VolumeFlag> parse_volume(std::string_view text);

/// One --mount as an entry of HostConfig.Mounts. kInvalid says which option is wrong.
Result<Json> parse_mount(std::string_view text);

}  // namespace berth::cli
