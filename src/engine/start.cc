// The start of a workload: everything that blocks is done at once on a pool thread (launch), the rest is a conversation
// with the holder on the event loop.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "base/log.h"
#include "engine/engine_impl.h"
#include "engine/isolation/container_spec.h"
#include "engine/isolation/rootfs_files.h"
#include "engine/record.h"
#include "holder/client.h"
#include "network/names.h"
#include "sys/file.h"

namespace berth::engine {
namespace {

// How long a holder may take from Start to Started. A start is milliseconds; a host that swaps may need seconds.
constexpr std::chrono::seconds kStartPatience{60};

}  // namespace

Task<bool> EngineImpl::start(std::string reference) {
  CO_TRY(const Entry workload, registry_.find(reference));
  while (workload->settling) co_await workload->changed.wait();
  WorkloadStatus& status = workload->view.status;
  switch (status.state) {
    case WorkloadState::kRunning:
      co_return false;
    case WorkloadState::kStarting:
      co_return fail(ErrorKind::kConflict, "container {} is already being started", reference);
    case WorkloadState::kRemoving:
      co_return fail(ErrorKind::kConflict, "container {} is being removed", reference);
    case WorkloadState::kCreated:
    case WorkloadState::kExited:
      break;
  }
  if (workload->removed) co_return fail(ErrorKind::kNotFound, "No such container: {}", reference);

  const WorkloadState before = std::exchange(status.state, WorkloadState::kStarting);
  auto started = co_await run(workload);
  if (started.ok()) co_return true;

  status.state = before;
  workload->pending_attach.clear();
  workload->changed.notify_all();
  publish(*workload, "die", {{"exitCode", std::to_string(status.exit_code)}});
  if (workload->view.config.auto_remove) {
    if (auto removed = co_await remove_entry(workload, true); !removed.ok())
      log::error("workload {}: remove it after a failed start: {}", workload->view.id.brief(),
                 removed.error().message());
  }
  co_return std::move(started).error();
}

Task<> EngineImpl::run(Entry workload) {
  WorkloadView& view = workload->view;
  auto prepare = [this, copy = view] { return launch(copy); };
  auto launched = co_await offload(pool_, prepare);
  if (!launched.ok()) {
    view.status.error = launched.error().message();
    view.status.exit_code = 128;
    co_return std::move(launched).error();
  }
  Launch launch = std::move(launched).value();
  view.status.endpoint = launch.endpoint;

  listen_to_holder(workload, std::move(launch.socket));
  auto told = tell_start(*workload, launch);
  if (told.ok()) {
    boost::asio::steady_timer patience(loop_, kStartPatience);
    bool late = false;
    patience.async_wait([&late, workload](const boost::system::error_code& error) {
      if (error) return;
      late = true;
      workload->changed.notify_all();
    });
    while (!workload->start_outcome && !late) co_await workload->changed.wait();
    patience.cancel();
    told = workload->start_outcome
               ? std::exchange(workload->start_outcome, std::nullopt).value()
               : Result<void>(fail(ErrorKind::kInternal, "the holder of container {} did not answer within {} s",
                                   view.id.str(), kStartPatience.count()));
  }
  if (told.ok()) {
    publish(*workload, "start");
    boost::asio::co_spawn(loop_, write_record(workload), boost::asio::detached);
    co_return Result<void>();
  }

  view.status.error = told.error().message();
  if (workload->holder) workload->holder->close();
  workload->holder.reset();
  auto undo = [this, endpoint = std::exchange(view.status.endpoint, std::nullopt), copy = view]() -> Result<void> {
    if (endpoint) TRY(network_->disconnect(*endpoint));
    remove_run_dir(copy.id);
    return copy.config.auto_remove ? Result<void>() : records_->update(copy);
  };
  if (auto undone = co_await offload(pool_, undo); !undone.ok())
    log::warning("workload {}: undo a failed start: {}", view.id.brief(), undone.error().message());
  co_return std::move(told).error();
}

Result<EngineImpl::Launch> EngineImpl::launch(const WorkloadView& view) {
  const WorkloadConfig& config = view.config;
  Launch launch;
  const std::vector<sys::MountSpec> rootfs = TRY(images_->snapshots().mounts(snapshot_key(view.id)));
  const IdentityFiles files = TRY(read_identity_files(rootfs));
  SpecContext context;
  context.rootfs = layout_.rootfs(view.id);
  context.cgroup_parent = config.cgroup_parent.empty() ? "/berth" : config.cgroup_parent;
  context.identity = TRY(resolve_identity(config.user, config.group_add, files.passwd, files.group));
  context.init_path = options_.init_path;
  const container::Spec spec = TRY(container_spec(view, context));

  network::Connection connection =
      TRY(network_->connect(config.network_mode, {.address = config.static_address,
                                                  .mac = config.mac_address,
                                                  .ports = published_ports(config)}));
  launch.endpoint = connection.endpoint;
  launch.sandbox = std::move(connection.sandbox);
  ScopeExit disconnect([&] {
    if (auto undone = network_->disconnect(*launch.endpoint); !undone.ok())
      log::warning("workload {}: {}", view.id.brief(), undone.error().message());
    remove_run_dir(view.id);
  });

  TRY(begin_run(view, *launch.endpoint));
  TRY(write_network_files(view, *launch.endpoint));
  launch.message = {.id = view.id.str(),
                    .state_dir = layout_.state_dir(view.id),
                    .run_dir = layout_.run_dir(view.id),
                    .bundle = layout_.state_dir(view.id),
                    .rootfs_mounts = rootfs,
                    .open_stdin = config.open_stdin,
                    .stdin_once = config.stdin_once,
                    .tty = config.tty,
                    .log_path = view.log_path};
  launch.spec = TRY(sys::sealed_memfd("spec", container::to_json(spec)));
  holder::Spawned spawned = TRY(holder::spawn_holder(options_.holder_path, view.id.str(), layout_.run_dir(view.id)));
  launch.socket = std::move(spawned.socket);
  disconnect.cancel();
  return launch;
}

}  // namespace berth::engine
