// RegistrySettings: what one engine's owner says of registries.
#pragma once

#include <chrono>
#include <string>

namespace berth::image {

struct RegistrySettings {
  /// A directory for each registry: registry_host.h, find_hosts().
  std::string certificates = "/etc/docker/certs.d";
  /// A registry that says nothing for so long is given up.
  std::chrono::seconds silence{60};
};

}  // namespace berth::image
