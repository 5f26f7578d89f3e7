// Controller: the networks of one engine, and the engine's one entry to this room. Thread-safe;
// calls block, but the path of connect() was prepared ahead: namespaces with a veth on the default
// bridge wait in a pool, and what is slow to undo (RCU waits) is undone by a background thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "network/cnm.h"

namespace berth::network {

/// A connected sandbox: the namespace to run in and the endpoint that was made in it.
struct Connection {
  UniqueFd sandbox;  // invalid: the host's own namespace
  Endpoint endpoint;
};

class Controller {
 public:
  struct Options {
    std::string state_dir;          // networks.json lives here
    std::string bridge = "berth0";  // name of the default bridge, at most 15 characters
    std::string
        bridge_subnet;  // "10.88.0.1/24": gateway and prefix; "" : first pool free of clashes
    std::string table = "berth";  // nft table (ip) of this engine
    unsigned pool_size = 4;       // prepared sandboxes kept ready; 0: none
    /// Workloads of an earlier process may still be connected: the default bridge keeps its subnet,
    /// whatever is asked for and whatever the host has come to use.
    bool in_use = false;
  };
  /// Creates or adopts the default networks (bridge, host, none) in the calling thread's network
  /// namespace, in which all later calls must be made. Endpoints that are still in use must be
  /// given to adopt() next, then finish_adoption() removes what nobody claimed (links, rules,
  /// addresses) and starts to fill the pool: call it also on a first start. kConflict: another
  /// engine that runs on this host has the bridge.
  static Result<std::unique_ptr<Controller>> open(Options options);
  virtual ~Controller() = default;

  /// By name, id, or unambiguous id prefix. "default" is "bridge".
  virtual Result<NetworkInfo> find(std::string_view network) const = 0;
  virtual std::vector<NetworkInfo> list() const = 0;

  /// Makes (or takes from the pool) a sandbox, connects it to `network`, opens its ports. On error
  /// nothing stays.
  virtual Result<Connection> connect(std::string_view network, const EndpointOptions& options) = 0;
  /// Frees address and ports at once; links and namespaces vanish with the sandbox. Idempotent: an
  /// endpoint that is not connected (any more) is fine.
  virtual Result<void> disconnect(const Endpoint& endpoint) = 0;

  virtual Result<void> adopt(const Endpoint& endpoint) = 0;
  virtual Result<void> finish_adoption() = 0;

  /// Waits until the pool is full and what was deferred is done, after
  /// finish_adoption(): for tests and benchmarks.
  virtual void wait_until_settled() = 0;

  /// Removes every link and the table of this engine from the host, and turns forwarding off if it
  /// was this engine that turned it on and nobody has come since who may need it. Only the
  /// destructor may follow.
  virtual Result<void> teardown() = 0;
  /// The same for an engine that does not run: `berthd --teardown`. kConflict: it does.
  static Result<void> remove_from_host(const std::string& bridge, const std::string& table);
};

}  // namespace berth::network
