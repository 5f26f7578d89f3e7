#include "network/drivers/host.h"

namespace berth::network {

Result<void> HostDriver::create_network(const NetworkInfo&) {
  return {};
}
Result<void> HostDriver::delete_network(const NetworkInfo&) {
  return {};
}

Result<void> HostDriver::create_endpoint(const NetworkInfo& network, const EndpointOptions& options,
                                         Endpoint& endpoint) {
  if (!options.address.empty()) {
    return fail(ErrorKind::kInvalid,
                "network {} has no addresses: leave out the address {}, or use a bridge network",
                network.name, options.address);
  }
  // As in Docker, ports that cannot be published here are left out rather than refused.
  endpoint.ports.clear();
  return {};
}
Result<void> HostDriver::delete_endpoint(const NetworkInfo&, const Endpoint&) {
  return {};
}

Result<void> HostDriver::prepare(const NetworkInfo&, Sandbox&) {
  return {};
}
Result<void> HostDriver::join(const NetworkInfo&, Endpoint&, Sandbox&) {
  return {};
}
Result<void> HostDriver::leave(const NetworkInfo&, const Endpoint&) {
  return {};
}

Result<void> HostDriver::program_external(const NetworkInfo&, Endpoint&) {
  return {};
}
Result<void> HostDriver::revoke_external(const NetworkInfo&, const Endpoint&) {
  return {};
}

Result<void> HostDriver::adopt(const NetworkInfo&, const Endpoint&) {
  return {};
}
Result<void> HostDriver::remove_unclaimed(const NetworkInfo&, std::span<const Endpoint>) {
  return {};
}

}  // namespace berth::network
