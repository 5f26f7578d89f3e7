// Any bytes as hosts.toml: a list that ends with a registry, each with an address of its own and
// absolute paths, or an error that names the file.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "image/registry/hosts_toml.h"

namespace {

bool is_absolute(const std::string& path) {
  return path.starts_with('/');
}

bool is_sound(const berth::image::RegistryHost& host) {
  if (berth::image::authority_of(host.address).empty()) return false;
  for (const std::string& path : host.authorities)
    if (!is_absolute(path)) return false;
  for (const auto& [certificate, key] : host.clients)
    if (!is_absolute(certificate) || (!key.empty() && !is_absolute(key))) return false;
  for (const auto& [name, value] : host.fields)
    if (name.empty() || (name + value).find_first_of("\r\n") != std::string::npos) return false;
  return host.connect_timeout.count() > 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto hosts = berth::image::parse_hosts_toml({reinterpret_cast<const char*>(data), size},
                                                    "/certs/reg/hosts.toml", "reg.example");
  if (!hosts.ok()) {
    if (!hosts.error().message().starts_with("/certs/reg/hosts.toml")) std::abort();
    return 0;
  }
  if (hosts->empty()) std::abort();
  for (const auto& host : *hosts)
    if (!is_sound(host)) std::abort();
  return 0;
}
