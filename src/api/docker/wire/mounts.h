// Mounts in Docker's forms: Binds ("/src:/dst:ro"), Mounts (--mount), Tmpfs, and the MountPoint
// list of inspect.
#pragma once

#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "engine/workload.h"

namespace berth::docker {

/// One entry of HostConfig.Binds. A source that is no absolute path is a volume's name.
Result<engine::MountRequest> parse_bind(std::string_view text);
/// Adds what HostConfig's Binds, Mounts and Tmpfs ask for. kUnsupported names an option that would
/// have no effect.
Result<void> parse_mounts(const Json& host_config, std::vector<engine::MountRequest>& mounts);

OrderedJson mount_point_json(const engine::MountPoint& mount);
OrderedJson binds_json(const std::vector<engine::MountRequest>& mounts);

}  // namespace berth::docker
