// The start of a workload: everything that blocks is done at once on a pool thread (launch), the
// rest is a conversation with the holder on the event loop.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <charconv>

#include "base/log.h"
#include "base/scope_exit.h"
#include "engine/engine_impl.h"
#include "engine/isolation/container_spec.h"
#include "engine/isolation/rootfs_files.h"
#include "engine/record.h"
#include "holder/client.h"
#include "network/names.h"
#include "sys/dir.h"
#include "sys/file.h"
#include "sys/memfd.h"
#include "sys/process.h"

namespace berth::engine {
namespace {

// How long a holder may take from Start to Started. A start is milliseconds; a host that swaps may
// need seconds.
constexpr std::chrono::seconds kStartPatience{60};

std::string cgroup_parent(const WorkloadConfig& config) {
  if (config.cgroup_parent.empty()) return "/berth";
  return config.cgroup_parent.starts_with('/') ? config.cgroup_parent : "/" + config.cgroup_parent;
}

// "80/tcp", "53/udp", "80". nullopt for what is none.
std::optional<network::PortBinding> parse_exposed(std::string_view text) {
  network::PortBinding port;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), port.container_port);
  if (error != std::errc() || port.container_port == 0) return std::nullopt;
  const std::string_view protocol(end, text.data() + text.size());
  if (protocol == "/udp") {
    port.protocol = network::Protocol::kUdp;
  } else if (!protocol.empty() && protocol != "/tcp") {
    return std::nullopt;
  }
  return port;
}

// What -p asks for, and with -P every exposed port that -p leaves out.
std::vector<network::PortBinding> published_ports(const WorkloadConfig& config) {
  std::vector<network::PortBinding> ports = config.ports;
  if (!config.publish_all) return ports;
  for (const std::string& exposed : config.exposed_ports) {
    const auto wanted = parse_exposed(exposed);
    if (!wanted) continue;
    const auto same = [&](const network::PortBinding& port) {
      return port.protocol == wanted->protocol && port.container_port == wanted->container_port;
    };
    if (std::ranges::none_of(ports, same)) ports.push_back(*wanted);
  }
  return ports;
}

// For files that are remade at every start: what a crash leaves half written is never read.
Result<void> write_text(const std::string& path, std::string_view text) {
  const UniqueFd file = TRY(sys::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
  return sys::write_all(file.get(), text).context("write " + path);
}

Result<std::string> read_if_there(const std::string& path) {
  auto text = sys::read_file(path);
  if (!text.ok() && text.error().kind() == ErrorKind::kNotFound) return std::string();
  return text;
}

}  // namespace

Task<bool> EngineImpl::start(std::string reference) {
  CO_TRY(const Entry workload, registry_.find(reference));
  co_await at_rest(workload);
  WorkloadStatus& status = workload->view.status;
  if (workload->removed) co_return fail(ErrorKind::kNotFound, "No such container: {}", reference);
  if (status.state == WorkloadState::kRunning) co_return false;
  if (status.state == WorkloadState::kRemoving)
    co_return fail(ErrorKind::kConflict, "container {} is being removed", reference);

  const WorkloadState before = std::exchange(status.state, WorkloadState::kStarting);
  auto started = co_await run(workload, before);
  if (started.ok()) co_return true;

  status.state = before;
  workload->pending_attach.clear();
  workload->changed.notify_all();
  publish(*workload, "die", {{"exitCode", std::to_string(status.exit_code)}});
  if (workload->view.config.auto_remove) co_await auto_remove(workload);
  co_return std::move(started).error();
}

Task<> EngineImpl::run(Entry workload, WorkloadState before) {
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
  const Deadline patience(loop_, kStartPatience, [workload] { workload->changed.notify_all(); });
  // Start is told only once the holder listens: from then on a later engine can find it.
  while (!workload->greeted && !workload->start_outcome && !patience.passed())
    co_await workload->changed.wait();
  if (workload->greeted && !workload->start_outcome) {
    if (auto sent = tell_start(*workload, launch); !sent.ok())
      workload->start_outcome = std::move(sent);
  }
  while (!workload->start_outcome && !patience.passed()) co_await workload->changed.wait();
  Result<void> told =
      workload->start_outcome
          ? *std::exchange(workload->start_outcome, std::nullopt)
          : Result<void>(fail(ErrorKind::kInternal,
                              "the holder of container {} did not answer within {} s",
                              view.id.str(), kStartPatience.count()));
  if (told.ok()) {
    publish(*workload, "start");
    boost::asio::co_spawn(loop_, write_record(workload), boost::asio::detached);
    co_return Result<void>();
  }

  view.status.error = told.error().message();
  if (workload->holder) workload->holder->close();
  workload->holder.reset();
  WorkloadView record = view;
  record.status.state = before;
  // One that has not answered may still start the workload, when nobody waits for that any more.
  const bool silent = patience.passed();
  auto undo = [this, endpoint = std::exchange(view.status.endpoint, std::nullopt), silent,
               holder = launch.holder.get(), copy = std::move(record)]() -> Result<void> {
    if (silent) give_up_holder(copy.id, holder);
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
  if (records_->is_damaged(view.id)) TRY(records_->update(view));  // says so
  Launch launch;
  const std::vector<sys::MountSpec> rootfs =
      TRY(images_->snapshots().mounts(snapshot_key(view.id)));
  const IdentityFiles files = TRY(read_identity_files(rootfs, layout_.rootfs(view.id)));
  const SpecContext context{
      .rootfs = layout_.rootfs(view.id),
      .cgroup_parent = cgroup_parent(config),
      .identity = TRY(resolve_identity(config.user, config.group_add, files.passwd, files.group)),
      .init_path = options_.init_path};
  const container::Spec spec = TRY(container_spec(view, context));

  network::EndpointOptions endpoint_options;
  endpoint_options.name = view.name;
  endpoint_options.address = config.static_address;
  endpoint_options.mac = config.mac_address;
  endpoint_options.ports = published_ports(config);
  network::Connection connection = TRY(network_->connect(config.network_mode, endpoint_options));
  launch.endpoint = connection.endpoint;
  launch.sandbox = std::move(connection.sandbox);
  ScopeExit disconnect([&] {
    if (auto undone = network_->disconnect(*launch.endpoint); !undone.ok())
      log::warning("workload {}: {}", view.id.brief(), undone.error().message());
    remove_run_dir(view.id);
  });

  TRY(begin_run(view.id, *launch.endpoint));
  TRY(write_network_files(view, *launch.endpoint));
  launch.message.id = view.id.str();
  launch.message.state_dir = layout_.state_dir(view.id);
  launch.message.bundle = layout_.state_dir(view.id);
  launch.message.rootfs_mounts = rootfs;
  launch.message.open_stdin = config.open_stdin;
  launch.message.stdin_once = config.stdin_once;
  launch.message.tty = config.tty;
  launch.message.rows = config.rows;
  launch.message.columns = config.columns;
  launch.message.log_path = view.log_path;
  launch.message.has_network_namespace = launch.sandbox.valid();
  launch.spec = TRY(sys::sealed_memfd("spec", container::to_json(spec)));
  holder::Spawned spawned =
      TRY(holder::spawn_holder(options_.holder_path, view.id.str(), layout_.run_dir(view.id)));
  launch.socket = std::move(spawned.socket);
  // It cannot have been reaped in between with its number given away: pids are handed out in turn.
  launch.holder = TRY(sys::open_pidfd(spawned.pid));
  disconnect.cancel();
  return launch;
}

// From here on a run of the workload has begun: an engine that starts later looks for its end.
Result<void> EngineImpl::begin_run(const WorkloadId& id, const network::Endpoint& endpoint) const {
  const UniqueFd state = TRY(sys::open_dir(layout_.state_dir(id)));
  if (::unlinkat(state.get(), std::string(holder::kExitName).c_str(), 0) != 0 && errno != ENOENT)
    return fail_errno("forget the last end of {}", id.str());
  TRY(sys::make_dirs(layout_.run_dir(id), 0710));
  return write_text(layout_.endpoint(id), endpoint_to_json(endpoint));
}

// hostname, hosts and resolv.conf, which the workload sees under /etc.
Result<void> EngineImpl::write_network_files(const WorkloadView& view,
                                             const network::Endpoint& endpoint) const {
  const WorkloadConfig& config = view.config;
  const std::string host_conf = TRY(read_if_there("/etc/resolv.conf"));
  const std::string path(network::resolv_conf_path(host_conf));
  const std::string servers = path == "/etc/resolv.conf" ? host_conf : TRY(read_if_there(path));
  if (config.network_mode == "host") {
    TRY(write_text(view.resolv_conf_path, servers));
    TRY(write_text(view.hosts_path, TRY(read_if_there("/etc/hosts"))));
    return write_text(view.hostname_path, TRY(read_if_there("/etc/hostname")));
  }
  std::vector<std::pair<std::string, std::string>> extra;
  for (const std::string& host : config.extra_hosts) {
    const std::size_t colon = host.find(':');
    std::string address = host.substr(colon + 1);
    if (address == "host-gateway") address = endpoint.gateway;
    extra.emplace_back(host.substr(0, colon), std::move(address));
  }
  TRY(write_text(view.resolv_conf_path,
                 network::make_resolv_conf(servers, {.servers = config.dns,
                                                     .search = config.dns_search,
                                                     .options = config.dns_options})));
  TRY(write_text(view.hosts_path,
                 network::make_hosts(endpoint.address, config.hostname, config.domainname, extra)));
  return write_text(view.hostname_path, network::make_hostname(config.hostname));
}

Result<void> EngineImpl::tell_start(Workload& workload, const Launch& launch) {
  std::vector<int> fds = {launch.spec.get()};
  if (launch.sandbox.valid()) fds.push_back(launch.sandbox.get());
  for (PendingAttach& pending : std::exchange(workload.pending_attach, {}))
    TRY(send_attach(workload, std::move(pending)));
  return workload.holder->send(launch.message, fds);
}

Result<void> EngineImpl::send_attach(Workload& workload, PendingAttach pending) {
  const std::array fds = {pending.client.get()};
  return workload.holder->send(holder::Attach{.stdin_stream = pending.options.stdin_stream,
                                              .stdout_stream = pending.options.stdout_stream,
                                              .stderr_stream = pending.options.stderr_stream,
                                              .detach_keys = pending.options.detach_keys,
                                              .early_input = pending.options.early_input},
                               fds);
}

Task<> EngineImpl::attach(std::string reference, AttachOptions options, UniqueFd client) {
  CO_TRY(const Entry workload, registry_.find(reference));
  PendingAttach pending{.options = std::move(options), .client = std::move(client)};
  if (workload->holder) {
    CO_TRY_VOID(send_attach(*workload, std::move(pending)));
  } else {
    if (workload->view.status.state == WorkloadState::kRemoving)
      co_return fail(ErrorKind::kConflict, "container {} is being removed", reference);
    if (workload->pending_attach.size() >= kMaxPendingAttach)
      co_return fail(ErrorKind::kConflict, "{} clients already wait for the start of container {}",
                     kMaxPendingAttach, reference);
    workload->pending_attach.push_back(std::move(pending));
  }
  publish(*workload, "attach");
  co_return Result<void>();
}

void EngineImpl::listen_to_holder(const Entry& workload, UniqueFd socket) {
  const std::weak_ptr<Workload> weak = workload;
  workload->start_outcome.reset();
  workload->greeted = false;
  workload->holder = HolderLink::open(std::move(socket), loop_,
                                      {.on_message =
                                           [this, weak](const holder::HolderMessage& message) {
                                             if (const Entry entry = weak.lock())
                                               on_holder_message(entry, message);
                                           },
                                       .on_closed =
                                           [this, weak] {
                                             if (const Entry entry = weak.lock())
                                               on_holder_closed(entry);
                                           }});
}

void EngineImpl::on_holder_message(const Entry& workload, const holder::HolderMessage& message) {
  WorkloadStatus& status = workload->view.status;
  if (const auto* started = std::get_if<holder::Started>(&message)) {
    if (status.state != WorkloadState::kStarting) return;
    status.state = WorkloadState::kRunning;
    status.pid = started->pid;
    status.started_at = parse_rfc3339(started->started_at).value_or(now());
    status.finished_at.reset();
    status.exit_code = 0;
    status.oom_killed = false;
    status.error.clear();
    workload->start_outcome = Result<void>();
  } else if (std::holds_alternative<holder::Hello>(message)) {
    workload->greeted = true;
  } else if (const auto* failed = std::get_if<holder::StartFailed>(&message)) {
    status.exit_code = failed->exit_code;
    workload->start_outcome = Result<void>(Error(failed->kind, failed->message));
  } else if (const auto* exited = std::get_if<holder::Exited>(&message)) {
    note_exit(workload, *exited);
    return;
  }
  workload->changed.notify_all();
}

boost::asio::awaitable<void> EngineImpl::write_record(Entry workload) {
  auto write = [this, view = workload->view] { return records_->update(view); };
  if (auto written = co_await offload(pool_, write); !written.ok() && !workload->removed)
    log::error("workload {}: record its start: {}", workload->view.id.brief(),
               written.error().message());
}

}  // namespace berth::engine
