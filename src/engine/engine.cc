#include "engine/engine.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "container/cgroup/layout.h"
#include "container/cgroup/manager.h"
#include "engine/engine_impl.h"
#include "sys/dir.h"

namespace berth::engine {
namespace {

// Threads for what blocks. Few: the work is short, and each costs memory; two more than the cores
// of a small host keep a slow disk from holding up everything else.
constexpr std::size_t kPoolThreads = 4;
constexpr std::size_t kUploadThreads = 2;
constexpr std::size_t kPullThreads = 4;
constexpr std::size_t kExportThreads = 2;

}  // namespace

std::string_view to_string(WorkloadState state) {
  switch (state) {
    case WorkloadState::kCreated:
    case WorkloadState::kStarting:
      return "created";
    case WorkloadState::kRunning:
      return "running";
    case WorkloadState::kExited:
      return "exited";
    case WorkloadState::kRemoving:
      return "removing";
  }
  return "dead";
}

Result<std::unique_ptr<Engine>> Engine::open(Options options, boost::asio::any_io_executor loop) {
  auto engine = std::make_unique<EngineImpl>(std::move(options), std::move(loop));
  TRY(engine->open_stores());
  TRY(engine->recover());
  return std::unique_ptr<Engine>(std::move(engine));
}

EngineImpl::EngineImpl(Options options, boost::asio::any_io_executor loop)
    : options_(std::move(options)),
      loop_(std::move(loop)),
      layout_{.root = options_.root, .run = options_.run},
      volumes_(layout_.volumes()),
      pool_(kPoolThreads),
      uploads_(kUploadThreads),
      pulls_(kPullThreads),
      exports_(kExportThreads) {}

EngineImpl::~EngineImpl() {
  closing_.request_stop();
  exports_.join();
  pulls_.join();
  uploads_.join();
  pool_.join();
}

Result<void> EngineImpl::open_stores() {
  TRY(sys::make_dirs(layout_.root, 0710));
  TRY(sys::make_dirs(layout_.run, 0711));
  auto lock = sys::DirLock::acquire(layout_.root);
  if (!lock.ok() && lock.error().kind() == ErrorKind::kConflict) {
    return fail(ErrorKind::kConflict,
                "another engine is using {}: stop it, or give this one another --root",
                layout_.root);
  }
  lock_ = TRY(std::move(lock));
  for (const std::string& directory :
       {layout_.workloads(), layout_.volumes(), layout_.runs(), layout_.network()})
    TRY(sys::make_dirs(directory, 0710));
  records_ = TRY(RecordStore::open(layout_.database()));
  images_ = TRY(image::ImageService::open({.root = layout_.images(),
                                           .driver = options_.storage_driver,
                                           .driver_options = options_.storage_options,
                                           .registries = options_.registries}));
  network_ = TRY(network::Controller::open({.state_dir = layout_.network(),
                                            .bridge = options_.bridge,
                                            .bridge_subnet = options_.bridge_subnet,
                                            .table = options_.bridge,
                                            .pool_size = options_.pool_size,
                                            .in_use = TRY(may_be_connected())}));
  image_count_ = TRY(images_->count());
  return {};
}

// Whether an earlier process has left a run with a place on a network: it may go on.
Result<bool> EngineImpl::may_be_connected() const {
  const UniqueFd runs = TRY(sys::open_dir(layout_.runs()));
  for (const sys::DirEntry& run : TRY(sys::list_dir(runs.get())))
    if (::faccessat(runs.get(), (run.name + "/endpoint.json").c_str(), F_OK, 0) == 0) return true;
  return false;
}

void EngineImpl::close() {
  for (const Entry& workload : registry_.all()) {
    if (workload->holder) workload->holder->close();
  }
  closing_.request_stop();
  exports_.join();
  pulls_.join();
  uploads_.join();
  pool_.join();
  if (const auto cgroups = container::detect_cgroups(); cgroups.ok())
    container::remove_empty_cgroups(*cgroups, "berth");
}

std::optional<ExitStatus> EngineImpl::ended_meanwhile(std::string_view reference) const {
  const auto current = std::chrono::steady_clock::now();
  for (const PastEnd& end : past_ends_)
    if ((end.id == reference || end.name == reference) && current < end.known_until)
      return end.status;
  return std::nullopt;
}

Result<WorkloadView> EngineImpl::inspect(std::string_view reference) const {
  return TRY(registry_.find(reference))->view;
}

std::vector<WorkloadView> EngineImpl::list(bool all) const {
  std::vector<WorkloadView> views;
  for (const Entry& workload : registry_.all()) {
    if (all || workload->view.status.state == WorkloadState::kRunning)
      views.push_back(workload->view);
  }
  std::ranges::sort(
      views, [](const WorkloadView& a, const WorkloadView& b) { return a.created > b.created; });
  return views;
}

Task<> EngineImpl::rename(std::string reference, std::string name) {
  CO_TRY(const Entry workload, registry_.find(reference));
  if (name.starts_with('/')) name.erase(0, 1);
  co_await at_rest(workload);
  if (workload->removed || workload->view.status.state == WorkloadState::kRemoving)
    co_return fail(ErrorKind::kConflict, "container {} is being removed", reference);
  if (name == workload->view.name)
    co_return fail(ErrorKind::kInvalid,
                   "Renaming a container with the same name as its current name");
  CO_TRY_VOID(registry_.reserve_name(name, workload->view.id));
  const std::string old = std::exchange(workload->view.name, name);
  workload->renaming = true;
  auto write_down = [this, view = workload->view] { return records_->update(view); };
  auto written = co_await offload(pool_, write_down);
  workload->renaming = false;
  workload->changed.notify_all();
  if (!written.ok()) {
    workload->view.name = old;
    registry_.release_name(name);
    co_return std::move(written).error();
  }
  registry_.release_name(old);
  publish(*workload, "rename", {{"oldName", "/" + old}});
  co_return Result<void>();
}

Task<> EngineImpl::resize(std::string reference, unsigned rows, unsigned columns) {
  CO_TRY(const Entry workload, registry_.find(reference));
  if (!workload->holder)
    co_return fail(ErrorKind::kConflict, "container {} is not running", workload->view.id.str());
  co_return workload->holder->send(holder::Resize{.rows = rows, .columns = columns});
}

void EngineImpl::publish(const Workload& workload, std::string action,
                         std::map<std::string, std::string> attributes) {
  attributes.insert(workload.view.config.labels.begin(), workload.view.config.labels.end());
  attributes["image"] = workload.view.config.image;
  attributes["name"] = workload.view.name;
  events_.publish({.type = "container",
                   .action = std::move(action),
                   .actor = workload.view.id.str(),
                   .attributes = std::move(attributes),
                   .time = now()});
}

std::size_t EngineImpl::count(WorkloadState state) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      registry_.all(),
      [&](const Entry& workload) { return workload->view.status.state == state; }));
}

std::vector<network::NetworkInfo> EngineImpl::networks() const {
  return network_->list();
}

Result<network::NetworkInfo> EngineImpl::find_network(std::string_view network) const {
  return network_->find(network);
}

EngineInfo EngineImpl::info() const {
  const std::size_t running = count(WorkloadState::kRunning);
  struct stat unified{};
  return {.id = records_->engine_id(),
          .root = layout_.root,
          .storage_driver = std::string(images_->snapshots().name()),
          .cgroup_driver = "cgroupfs",
          // Only a pure v2 host has the controllers' list at the top.
          .cgroup_version = ::stat("/sys/fs/cgroup/cgroup.controllers", &unified) == 0 ? "2" : "1",
          .running = running,
          .stopped = registry_.all().size() - running,
          .images = image_count_};
}

}  // namespace berth::engine
