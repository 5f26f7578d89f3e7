// Where a storage plugin listens: Docker's places for plugins that are no containers.
// docs/storage-plugins.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace berth::image {

struct PluginPlaces {
  std::string sockets = "/run/docker/plugins";  // NAME.sock, NAME/NAME.sock
  std::vector<std::string> specs = {"/etc/docker/plugins", "/usr/lib/docker/plugins"};  // NAME.spec
};

/// The path of its socket; nothing if there is no such plugin. kUnsupported: its address is no
/// unix socket.
Result<std::optional<std::string>> find_plugin_socket(std::string_view name,
                                                      const PluginPlaces& places = {});

}  // namespace berth::image
