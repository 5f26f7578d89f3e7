#include "network/controller.h"

#include <sys/file.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "base/log.h"
#include "base/scope_exit.h"
#include "network/default_networks.h"
#include "network/drivers/bridge.h"
#include "network/drivers/host.h"
#include "network/drivers/null.h"
#include "network/forwarding.h"
#include "network/network_store.h"
#include "network/sandbox_pool.h"
#include "sys/netns.h"
#include "sys/socket.h"

namespace berth::network {
namespace {

constexpr std::string_view kDefaultNetwork = "bridge";

void log_if_failed(const Result<void>& result) {
  if (!result.ok()) log::warning("{}", result.error().message());
}

/// Engines that start at the same time choose their subnets one after the other. The lock is the
/// namespace itself: it is the same for all engines that could clash, and leaves no file behind
/// (flock(2) on an nsfs descriptor).
Result<UniqueFd> lock_host_network() {
  UniqueFd netns = TRY(sys::current_network_namespace());
  if (::flock(netns.get(), LOCK_EX) != 0) return fail_errno("lock the host's network namespace");
  return netns;
}

/// Links and table are found by the bridge's name, so one engine at a time may have it. The name is
/// a network namespace's, as they are.
Result<UniqueFd> claim_bridge(const std::string& bridge) {
  auto claim = sys::claim_abstract_name("berth-bridge/" + bridge);
  if (!claim.ok() && claim.error().kind() == ErrorKind::kConflict) {
    return fail(
        ErrorKind::kConflict,
        "an engine that runs on this host has the bridge {}: stop it, or name another --bridge",
        bridge);
  }
  return claim;
}

/// Of an engine whose bridge is claimed.
Result<void> remove_traces(const std::string& bridge, const std::string& table) {
  const UniqueFd lock = TRY(lock_host_network());
  HostLinks links(bridge);
  TRY(links.remove_all());
  const bool ended = TRY(end_forwarding(TRY(Firewall::closed_by(table)), links));
  return Firewall::remove(table, !ended);
}

class ControllerImpl final : public Controller {
 public:
  ControllerImpl(Options options, UniqueFd claim, std::unique_ptr<Firewall> firewall)
      : options_(std::move(options)),
        claim_(std::move(claim)),
        links_(options_.bridge),
        firewall_(std::move(firewall)),
        bridge_({ipam_, ports_, links_, *firewall_}),
        pool_(options_.pool_size, {.prepare = [this] { return prepare_sandbox(); },
                                   .run_deferred = [this] { bridge_.run_deferred(); },
                                   .idle = [this] { firewall_->release_memory(); }}) {}
  ~ControllerImpl() override { pool_.stop(); }

  Result<void> start();

  Result<NetworkInfo> find(std::string_view network) const override;
  std::vector<NetworkInfo> list() const override { return networks_; }
  Result<Connection> connect(std::string_view network, const EndpointOptions& options) override;
  Result<void> disconnect(const Endpoint& endpoint) override;
  Result<void> adopt(const Endpoint& endpoint) override;
  Result<void> finish_adoption() override;
  void wait_until_settled() override { pool_.wait_until_settled(); }
  Result<void> teardown() override;

 private:
  Result<Driver*> driver_of(const NetworkInfo& network);
  Result<Sandbox> prepare_sandbox();
  Result<Sandbox> take_sandbox(const NetworkInfo& network);
  void undo(Driver& driver, const NetworkInfo& network, const Endpoint& endpoint);

  const Options options_;
  const UniqueFd claim_;
  Ipam ipam_;
  PortReservations ports_;
  HostLinks links_;
  const std::unique_ptr<Firewall> firewall_;
  NullDriver null_;
  HostDriver host_;
  BridgeDriver bridge_;
  std::vector<NetworkInfo> networks_;  // does not change after start()
  std::mutex mutex_;
  std::map<EndpointId, Endpoint> endpoints_;  // GUARDED_BY(mutex_): what is connected
  SandboxPool pool_;                          // last: its thread uses the rest
};

Result<void> ControllerImpl::start() {
  const UniqueFd lock = TRY(lock_host_network());
  const std::vector<NetworkInfo> stored = TRY(load_networks(options_.state_dir));
  networks_ = TRY(with_default_networks(
      stored,
      {.bridge = options_.bridge, .subnet = options_.bridge_subnet, .in_use = options_.in_use}));
  for (const NetworkInfo& network : networks_)
    TRY(TRY(driver_of(network))->create_network(network));
  // A start must not need space on a disk that may be full.
  return networks_ == stored ? Result<void>() : save_networks(options_.state_dir, networks_);
}

Result<Driver*> ControllerImpl::driver_of(const NetworkInfo& network) {
  for (Driver* driver : std::initializer_list<Driver*>{&bridge_, &host_, &null_}) {
    if (driver->name() == network.driver) return driver;
  }
  return fail(ErrorKind::kUnsupported,
              "network {} needs the driver '{}', which this engine does not have", network.name,
              network.driver);
}

Result<NetworkInfo> ControllerImpl::find(std::string_view network) const {
  const std::string_view wanted =
      network.empty() || network == "default" ? kDefaultNetwork : network;
  const NetworkInfo* match = nullptr;
  for (const NetworkInfo& candidate : networks_) {
    if (candidate.name == wanted || candidate.id.str() == wanted) return candidate;
    if (!candidate.id.str().starts_with(wanted)) continue;
    if (match != nullptr) {
      return fail(ErrorKind::kInvalid, "network id {} is ambiguous: write more of it, or the name",
                  wanted);
    }
    match = &candidate;
  }
  if (match == nullptr) return fail(ErrorKind::kNotFound, "network {} not found", wanted);
  return *match;
}

Result<Sandbox> ControllerImpl::prepare_sandbox() {
  const NetworkInfo network = TRY(find(kDefaultNetwork));
  Sandbox sandbox = TRY(Sandbox::create());
  TRY(bridge_.prepare(network, sandbox));
  return sandbox;
}

Result<Sandbox> ControllerImpl::take_sandbox(const NetworkInfo& network) {
  if (network.name == kDefaultNetwork) {
    if (std::optional<Sandbox> ready = pool_.take()) return std::move(*ready);
  }
  return Sandbox::create();
}

void ControllerImpl::undo(Driver& driver, const NetworkInfo& network, const Endpoint& endpoint) {
  log_if_failed(driver.leave(network, endpoint));
  log_if_failed(driver.delete_endpoint(network, endpoint));
  pool_.defer();
}

Result<Connection> ControllerImpl::connect(std::string_view name, const EndpointOptions& options) {
  const NetworkInfo network = TRY(find(name));
  Driver& driver = *TRY(driver_of(network));
  Connection connection;
  Endpoint& endpoint = connection.endpoint;
  endpoint.id = random_id<EndpointId>();
  endpoint.network = network.id;
  endpoint.network_name = network.name;
  TRY(driver.create_endpoint(network, options, endpoint));
  ScopeExit revert([&] { undo(driver, network, endpoint); });

  if (driver.has_sandbox()) {
    Sandbox sandbox = TRY(take_sandbox(network));
    TRY(driver.join(network, endpoint, sandbox));
    connection.sandbox = std::move(sandbox).release();
  }
  TRY(driver.program_external(network, endpoint)
          .context(fmt::format(
              "driver failed programming external connectivity on endpoint {} ({})",
              options.name.empty() ? "without a name" : options.name, endpoint.id.brief())));
  revert.cancel();
  const std::scoped_lock lock(mutex_);
  endpoints_.emplace(endpoint.id, endpoint);
  return connection;
}

Result<void> ControllerImpl::disconnect(const Endpoint& endpoint) {
  std::map<EndpointId, Endpoint>::node_type node;
  {
    const std::scoped_lock lock(mutex_);
    node = endpoints_.extract(endpoint.id);
  }
  if (node.empty()) return {};
  const Endpoint& known = node.mapped();
  const NetworkInfo network = TRY(find(known.network.str()));
  Driver& driver = *TRY(driver_of(network));
  Result<void> revoked = driver.revoke_external(network, known);
  undo(driver, network, known);
  return revoked;
}

Result<void> ControllerImpl::adopt(const Endpoint& endpoint) {
  // By name where the id is unknown: the network file was lost and made anew.
  Result<NetworkInfo> network = find(endpoint.network.str());
  if (!network.ok()) network = find(endpoint.network_name);
  if (!network.ok()) return std::move(network).error();
  Endpoint adopted = endpoint;
  adopted.network = network->id;
  {
    const std::scoped_lock lock(mutex_);
    if (!endpoints_.emplace(adopted.id, adopted).second) return {};
  }
  return TRY(driver_of(*network))->adopt(*network, adopted);
}

Result<void> ControllerImpl::finish_adoption() {
  std::map<NetworkId, std::vector<Endpoint>> claimed;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [id, endpoint] : endpoints_) claimed[endpoint.network].push_back(endpoint);
  }
  for (const NetworkInfo& network : networks_) {
    TRY(TRY(driver_of(network))->remove_unclaimed(network, claimed[network.id]));
  }
  TRY(firewall_->remove_unclaimed());
  pool_.start();
  pool_.defer();
  return {};
}

Result<void> ControllerImpl::teardown() {
  pool_.stop();
  return remove_traces(options_.bridge, options_.table);
}

}  // namespace

Result<std::unique_ptr<Controller>> Controller::open(Options options) {
  UniqueFd claim = TRY(claim_bridge(options.bridge));
  std::unique_ptr<Firewall> firewall = TRY(Firewall::open(options.table));
  auto controller =
      std::make_unique<ControllerImpl>(std::move(options), std::move(claim), std::move(firewall));
  TRY(controller->start());
  return std::unique_ptr<Controller>(std::move(controller));
}

Result<void> Controller::remove_from_host(const std::string& bridge, const std::string& table) {
  const UniqueFd claim = TRY(claim_bridge(bridge));
  return remove_traces(bridge, table);
}

}  // namespace berth::network
