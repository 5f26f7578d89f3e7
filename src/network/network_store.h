// networks.json: the networks of an engine, with ids that stay the same across restarts. One small
// file, replaced as a whole (docs/design/network.md has its fields).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "network/cnm.h"

namespace berth::network {

/// Empty if there is no file yet. kCorrupt names the file and what is wrong in it.
Result<std::vector<NetworkInfo>> load_networks(const std::string& directory);
Result<void> save_networks(const std::string& directory, const std::vector<NetworkInfo>& networks);

}  // namespace berth::network
