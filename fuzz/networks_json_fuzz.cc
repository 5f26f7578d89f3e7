// Any bytes as networks.json: networks or an error, and networks that were read can be saved and
// read again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "network/network_store.h"
#include "sys/file.h"
#include "sys/temp_dir_testing.h"

namespace {

bool same(const berth::network::NetworkInfo& a, const berth::network::NetworkInfo& b) {
  return a.id == b.id && a.name == b.name && a.driver == b.driver && a.subnet == b.subnet &&
         a.gateway == b.gateway && a.internal == b.internal && a.created == b.created &&
         a.options == b.options;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const berth::sys::TempDir dir;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (!berth::sys::write_file_atomic(dir.fd(), "networks.json", text).ok()) std::abort();
  const auto networks = berth::network::load_networks(dir.path());
  if (!networks.ok()) return 0;
  if (!berth::network::save_networks(dir.path(), *networks).ok()) std::abort();
  const auto again = berth::network::load_networks(dir.path());
  if (!again.ok() || again->size() != networks->size()) std::abort();
  for (std::size_t i = 0; i < again->size(); ++i)
    if (!same((*again)[i], (*networks)[i])) std::abort();
  return 0;
}
