// The host driver: no sandbox at all. The workload runs in the namespace of the host, with its
// addresses and its ports.
#pragma once

#include "network/driver.h"

namespace berth::network {

class HostDriver final : public Driver {
 public:
  std::string_view name() const override { return "host"; }
  bool has_sandbox() const override { return false; }

  Result<void> create_network(const NetworkInfo& network) override;
  Result<void> delete_network(const NetworkInfo& network) override;
  Result<void> create_endpoint(const NetworkInfo& network, const EndpointOptions& options,
                               Endpoint& endpoint) override;
  Result<void> delete_endpoint(const NetworkInfo& network, const Endpoint& endpoint) override;
  Result<void> prepare(const NetworkInfo& network, Sandbox& sandbox) override;
  Result<void> join(const NetworkInfo& network, Endpoint& endpoint, Sandbox& sandbox) override;
  Result<void> leave(const NetworkInfo& network, const Endpoint& endpoint) override;
  Result<void> program_external(const NetworkInfo& network, Endpoint& endpoint) override;
  Result<void> revoke_external(const NetworkInfo& network, const Endpoint& endpoint) override;
  Result<void> adopt(const NetworkInfo& network, const Endpoint& endpoint) override;
  Result<void> remove_unclaimed(const NetworkInfo& network,
                                std::span<const Endpoint> claimed) override;
  void run_deferred() override {}
};

}  // namespace berth::network
