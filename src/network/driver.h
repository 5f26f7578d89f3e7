// Driver: how one kind of network is realised. Implementations: null, host, bridge (drivers/).
// docs/design/network.md has the contract in prose, driver_testsuite.h the checks that each
// implementation passes.
//   create_endpoint -> join -> program_external   and back   revoke_external -> leave ->
//   delete_endpoint
// Thread-safe. The way back never fails half way for what is gone already: undoing twice is fine.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "network/cnm.h"
#include "network/sandbox.h"

namespace berth::network {

class Driver {
 public:
  virtual ~Driver() = default;
  virtual std::string_view name() const = 0;
  /// False: endpoints get no sandbox of their own (host).
  virtual bool has_sandbox() const = 0;

  /// Makes what the network needs, or takes back what an earlier process made for it.
  virtual Result<void> create_network(const NetworkInfo& network) = 0;
  virtual Result<void> delete_network(const NetworkInfo& network) = 0;

  /// Reserves what is the endpoint's own (its address) and fills `endpoint` in. Makes nothing in
  /// the kernel.
  virtual Result<void> create_endpoint(const NetworkInfo& network, const EndpointOptions& options,
                                       Endpoint& endpoint) = 0;
  virtual Result<void> delete_endpoint(const NetworkInfo& network, const Endpoint& endpoint) = 0;

  /// The part of join() that does not depend on the endpoint, done ahead of time to a sandbox that
  /// waits in a pool.
  virtual Result<void> prepare(const NetworkInfo& network, Sandbox& sandbox) = 0;
  /// Connects the sandbox: interface, address, routes. Prepares it first if nobody did. On error
  /// the caller drops it.
  virtual Result<void> join(const NetworkInfo& network, Endpoint& endpoint, Sandbox& sandbox) = 0;
  virtual Result<void> leave(const NetworkInfo& network, const Endpoint& endpoint) = 0;

  /// Opens the published ports; every host_port is known afterwards. On error none is open.
  virtual Result<void> program_external(const NetworkInfo& network, Endpoint& endpoint) = 0;
  virtual Result<void> revoke_external(const NetworkInfo& network, const Endpoint& endpoint) = 0;

  /// Takes back an endpoint that an earlier process made and whose sandbox still lives. Nothing
  /// that works stops working.
  virtual Result<void> adopt(const NetworkInfo& network, const Endpoint& endpoint) = 0;
  /// Removes what an earlier process made in `network` for endpoints that are not among `claimed`.
  virtual Result<void> remove_unclaimed(const NetworkInfo& network,
                                        std::span<const Endpoint> claimed) = 0;
  /// Does what was put off because it is slow. Called by a background thread.
  virtual void run_deferred() = 0;
};

}  // namespace berth::network
