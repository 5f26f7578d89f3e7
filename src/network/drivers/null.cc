#include "network/drivers/null.h"

namespace berth::network {

Result<void> NullDriver::create_network(const NetworkInfo&) {
  return {};
}
Result<void> NullDriver::delete_network(const NetworkInfo&) {
  return {};
}

Result<void> NullDriver::create_endpoint(const NetworkInfo& network, const EndpointOptions& options,
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
Result<void> NullDriver::delete_endpoint(const NetworkInfo&, const Endpoint&) {
  return {};
}

Result<void> NullDriver::prepare(const NetworkInfo&, Sandbox&) {
  return {};
}
Result<void> NullDriver::join(const NetworkInfo&, Endpoint&, Sandbox&) {
  return {};
}
Result<void> NullDriver::leave(const NetworkInfo&, const Endpoint&) {
  return {};
}

Result<void> NullDriver::program_external(const NetworkInfo&, Endpoint&) {
  return {};
}
Result<void> NullDriver::revoke_external(const NetworkInfo&, const Endpoint&) {
  return {};
}

Result<void> NullDriver::adopt(const NetworkInfo&, const Endpoint&) {
  return {};
}
Result<void> NullDriver::remove_unclaimed(const NetworkInfo&, std::span<const Endpoint>) {
  return {};
}

}  // namespace berth::network
