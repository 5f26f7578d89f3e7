#include "api/docker/fake_engine_testing.h"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "base/scope_exit.h"

namespace berth::docker {
namespace {

namespace asio = boost::asio;
using engine::WorkloadState;
using engine::WorkloadView;

Error no_container(std::string_view name) {
  return fail(ErrorKind::kNotFound, "No such container: {}", name);
}

}  // namespace

FakeEngine::FakeEngine(asio::any_io_executor loop)
    : changed_(std::move(loop), asio::steady_timer::time_point::max()), pool_(1) {
  image::Image busybox;
  busybox.id = "sha256:" + std::string(64, 'b');
  busybox.repo_tags = {"busybox:latest"};
  busybox.architecture = "amd64";
  busybox.os = "linux";
  busybox.size = 1234;
  busybox.config.cmd = {"sh"};
  busybox.history = {{.created = {}, .created_by = "COPY rootfs /", .comment = {}}};
  images.emplace("busybox:latest", busybox);
}

WorkloadView* FakeEngine::find(std::string_view workload) {
  for (auto& [id, view] : workloads) {
    if (view.name == workload || (!workload.empty() && id.starts_with(workload))) return &view;
  }
  return nullptr;
}

engine::Task<engine::CreateResult> FakeEngine::create(std::string name,
                                                      engine::WorkloadConfig config) {
  if (!images.contains(config.image) && !images.contains(config.image + ":latest"))
    co_return fail(ErrorKind::kNotFound, "No such image: {}", config.image);
  if (!name.empty() && find(name) != nullptr)
    co_return fail(ErrorKind::kConflict, "Conflict. The container name \"/{}\" is already in use",
                   name);
  WorkloadView view;
  view.id = random_id<engine::WorkloadId>();
  view.name = name.empty() ? "quiet_harbour" : name;
  view.created = now();
  view.image_id = images.begin()->second.id;
  view.path = config.cmd.empty() ? "sh" : config.cmd.front();
  if (!config.cmd.empty()) view.args.assign(config.cmd.begin() + 1, config.cmd.end());
  view.config = std::move(config);
  const engine::WorkloadId id = view.id;
  workloads.emplace(id.str(), view);
  events_.publish({.type = "container",
                   .action = "create",
                   .actor = id.str(),
                   .attributes = {{"image", view.config.image}, {"name", view.name}},
                   .time = now()});
  co_return engine::CreateResult{.id = id, .warnings = {}};
}

engine::Task<bool> FakeEngine::start(std::string workload) {
  WorkloadView* view = find(workload);
  if (view == nullptr) co_return no_container(workload);
  if (view->status.state == WorkloadState::kRunning) co_return false;
  view->status.state = WorkloadState::kRunning;
  view->status.pid = ::getpid();
  view->status.started_at = now();
  co_return true;
}

void FakeEngine::end(const std::string& workload, int exit_code) {
  WorkloadView* view = find(workload);
  if (view == nullptr) return;
  view->status.state = WorkloadState::kExited;
  view->status.pid = 0;
  view->status.exit_code = exit_code;
  view->status.finished_at = now();
  changed_.cancel();
}

engine::Task<> FakeEngine::attach(std::string workload, engine::AttachOptions options,
                                  UniqueFd client) {
  if (find(workload) == nullptr) co_return no_container(workload);
  if (attach_error) co_return *std::exchange(attach_error, {});
  attach_options = std::move(options);
  attached = std::move(client);
  co_return Result<void>();
}

engine::Task<> FakeEngine::resize(std::string workload, unsigned new_rows, unsigned new_columns) {
  if (find(workload) == nullptr) co_return no_container(workload);
  rows = new_rows;
  columns = new_columns;
  co_return Result<void>();
}

engine::Task<> FakeEngine::kill(std::string workload, int signal) {
  WorkloadView* view = find(workload);
  if (view == nullptr) co_return no_container(workload);
  if (view->status.state != WorkloadState::kRunning)
    co_return fail(ErrorKind::kConflict, "container {} is not running", workload);
  last_signal = signal;
  end(workload, 128 + signal);
  co_return Result<void>();
}

engine::Task<bool> FakeEngine::stop(std::string workload, engine::StopOptions options) {
  WorkloadView* view = find(workload);
  if (view == nullptr) co_return no_container(workload);
  stop_options = options;
  if (view->status.state != WorkloadState::kRunning) co_return false;
  end(workload, 143);
  co_return true;
}

engine::Task<> FakeEngine::restart(std::string workload, engine::StopOptions options) {
  auto stopped = co_await stop(workload, options);
  if (!stopped.ok()) co_return std::move(stopped).error();
  auto started = co_await start(workload);
  if (!started.ok()) co_return std::move(started).error();
  co_return Result<void>();
}

std::optional<engine::ExitStatus> FakeEngine::ended_meanwhile(std::string_view) const {
  return std::nullopt;
}

engine::Task<> FakeEngine::remove(std::string workload, bool force, bool) {
  const WorkloadView* view = find(workload);
  if (view == nullptr) co_return no_container(workload);
  if (view->status.state == WorkloadState::kRunning && !force)
    co_return fail(ErrorKind::kConflict, "cannot remove container \"/{}\": container is running",
                   view->name);
  const std::string id = view->id.str();
  workloads.erase(id);
  changed_.cancel();
  co_return Result<void>();
}

engine::Task<> FakeEngine::rename(std::string workload, std::string name) {
  WorkloadView* view = find(workload);
  if (view == nullptr) co_return no_container(workload);
  view->name = name;
  co_return Result<void>();
}

engine::Task<engine::ExitStatus> FakeEngine::wait(std::string workload,
                                                  engine::WaitCondition condition) {
  ++waiting;
  const ScopeExit done([this] { --waiting; });
  bool first = true;
  for (;;) {
    const WorkloadView* view = find(workload);
    if (view == nullptr && condition == engine::WaitCondition::kRemoved)
      co_return engine::ExitStatus{};
    if (view == nullptr) co_return no_container(workload);
    const bool runs = view->status.state == WorkloadState::kRunning;
    if (condition == engine::WaitCondition::kNotRunning && !runs)
      co_return engine::ExitStatus{.code = view->status.exit_code, .error = {}};
    if (condition == engine::WaitCondition::kNextExit && !first &&
        view->status.state == WorkloadState::kExited)
      co_return engine::ExitStatus{.code = view->status.exit_code, .error = {}};
    first = false;
    boost::system::error_code ignored;
    co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

Result<WorkloadView> FakeEngine::inspect(std::string_view workload) const {
  const WorkloadView* view = const_cast<FakeEngine*>(this)->find(workload);
  if (view == nullptr) return no_container(workload);
  return *view;
}

std::vector<WorkloadView> FakeEngine::list(bool all) const {
  std::vector<WorkloadView> views;
  for (const auto& [id, view] : workloads) {
    if (all || view.status.state == WorkloadState::kRunning) views.push_back(view);
  }
  std::ranges::sort(views, std::ranges::greater(), &WorkloadView::created);
  return views;
}

asio::awaitable<std::string> FakeEngine::read_on_pool(ByteSource& source) {
  std::string text;
  std::array<std::byte, 4096> buffer;
  for (;;) {
    const auto count = source.read(buffer);
    if (!count.ok()) {
      load_error = count.error();
      co_return text;
    }
    if (*count == 0) co_return text;
    text.append(reinterpret_cast<const char*>(buffer.data()), *count);
  }
}

engine::Task<std::vector<image::Change>> FakeEngine::changes(std::string workload) {
  if (find(workload) == nullptr)
    co_return fail(ErrorKind::kNotFound, "No such container: {}", workload);
  co_return changed;
}

engine::Task<std::vector<std::string>> FakeEngine::registry_tags(std::string repository,
                                                                 image::Credentials) {
  if (!repository.ends_with("/many"))
    co_return fail(ErrorKind::kNotFound, "repository {} not found", repository);
  co_return std::vector<std::string>{"1", "2"};
}

engine::Task<image::Distribution> FakeEngine::inspect_distribution(std::string,
                                                                   image::Credentials) {
  image::Distribution found;
  found.descriptor.media_type = "application/vnd.oci.image.index.v1+json";
  found.descriptor.digest = "sha256:" + std::string(64, '1');
  found.descriptor.size = 2;
  found.text = "{}";
  found.platforms = {{"linux", "arm64", "v8"}, {"linux", "amd64", ""}};
  co_return found;
}

engine::Task<std::vector<image::SearchResult>> FakeEngine::search_registry(std::string term,
                                                                           int limit,
                                                                           image::Credentials) {
  searched = fmt::format("{} {}", term, limit);
  co_return std::vector<image::SearchResult>{{"a/one", "first", 7, false, false},
                                             {"two", "", 9, true, true}};
}

engine::Task<> FakeEngine::log_in(std::string server, image::Credentials credentials) {
  if (server != "reg.example" || credentials.password != "secret")
    co_return fail(ErrorKind::kPermission, "unauthorized: incorrect username or password");
  co_return Result<void>();
}

engine::Task<> FakeEngine::save_images(std::vector<std::string> references, ByteSink& sink) {
  saved = references;
  if (load_error) co_return *std::exchange(load_error, {});
  auto write = [&sink]() -> asio::awaitable<Result<void>> {
    const std::vector<std::byte> piece(1000, std::byte{'s'});
    co_return sink.write(piece);
  };
  auto written = co_await asio::co_spawn(pool_, write(), asio::use_awaitable);
  co_return std::move(written);
}

engine::Task<> FakeEngine::export_filesystem(std::string workload, ByteSink& sink,
                                             std::stop_source stop) {
  export_stop = stop;
  if (find(workload) == nullptr)
    co_return fail(ErrorKind::kNotFound, "No such container: {}", workload);
  auto write = [&sink, left = export_bytes]() mutable -> asio::awaitable<Result<void>> {
    const std::vector<std::byte> piece(std::size_t{100} << 10, std::byte{'x'});
    while (left > 0) {
      const std::size_t count = std::min(left, piece.size());
      CO_TRY_VOID(sink.write(std::span(piece).first(count)));
      left -= count;
    }
    co_return Result<void>();
  };
  auto written = co_await asio::co_spawn(pool_, write(), asio::use_awaitable);
  export_ended = true;
  CO_TRY_VOID(std::move(written));
  if (export_error) co_return *std::exchange(export_error, {});
  co_return Result<void>();
}

engine::Task<std::string> FakeEngine::commit(std::string workload, engine::CommitOptions options) {
  if (find(workload) == nullptr)
    co_return fail(ErrorKind::kNotFound, "No such container: {}", workload);
  commit_options = std::move(options);
  co_return "sha256:" + std::string(64, 'b');
}

engine::Task<std::int64_t> FakeEngine::written_bytes(std::string) {
  co_return 1000;
}

engine::Task<engine::PruneResult> FakeEngine::prune_images(
    std::function<bool(const image::Image&)> wanted) {
  engine::PruneResult result{.removed = {}, .freed = 0};
  for (const auto& [name, image] : images) {
    if (!wanted(image)) continue;
    result.removed.deleted.push_back(image.id);
    result.freed += image.size;
  }
  co_return result;
}

engine::Task<engine::DiskUsage> FakeEngine::disk_usage() {
  co_return usage;
}

engine::Task<image::CheckReport> FakeEngine::check_images(image::CheckOptions options) {
  check_options = options;
  co_return check_report;
}

engine::Task<std::vector<image::LoadResult>> FakeEngine::load_images(ByteSource& archive) {
  if (load_error) co_return *std::exchange(load_error, {});
  uploaded = co_await asio::co_spawn(pool_, read_on_pool(archive), asio::use_awaitable);
  if (load_error) co_return *std::exchange(load_error, {});
  std::vector<image::LoadResult> results;
  results.push_back({.id = "sha256:" + std::string(64, 'c'), .repo_tags = {"loaded:latest"}});
  co_return results;
}

engine::Task<std::string> FakeEngine::import_image(ByteSource& tar,
                                                   image::ImageService::ImportOptions options) {
  uploaded = co_await asio::co_spawn(pool_, read_on_pool(tar), asio::use_awaitable);
  import_options = std::move(options);
  co_return "sha256:" + std::string(64, 'd');
}

engine::Task<image::PullResult> FakeEngine::pull_image(
    std::string reference, image::PullOptions options,
    std::function<void(const image::PullProgress&)> progress, std::stop_token) {
  pulled = reference;
  pull_options = std::move(options);
  if (load_error) co_return *std::exchange(load_error, {});
  const std::string layer = "sha256:" + std::string(64, 'e');
  using Step = image::PullProgress::Step;
  progress({.layer = layer, .step = Step::kFound});
  progress({.layer = layer, .step = Step::kDownloading, .current = 1, .total = 2});
  progress({.layer = layer, .step = Step::kDone});
  co_return image::PullResult{.id = "sha256:" + std::string(64, 'f'),
                              .name = "busybox:latest",
                              .digest = "sha256:" + std::string(64, 'a'),
                              .is_new = true};
}

engine::Task<> FakeEngine::push_image(std::string reference, image::PushOptions options,
                                      std::function<void(const image::PushProgress&)> progress,
                                      std::stop_token) {
  pushed = reference;
  pull_options.credentials = std::move(options.credentials);
  if (load_error) co_return *std::exchange(load_error, {});
  using Step = image::PushProgress::Step;
  progress({.step = Step::kPushed, .layer = "sha256:" + std::string(64, 'e')});
  progress({.step = Step::kTagged, .total = 7, .name = "1", .digest = "sha256:a"});
  co_return Result<void>();
}

engine::Task<image::RemoveResult> FakeEngine::remove_image(std::string reference, bool) {
  if (images.erase(reference) == 0)
    co_return fail(ErrorKind::kNotFound, "No such image: {}", reference);
  image::RemoveResult removed;
  removed.untagged = {reference};
  co_return removed;
}

engine::Task<> FakeEngine::tag_image(std::string source, std::string target) {
  const auto found = images.find(source);
  if (found == images.end()) co_return fail(ErrorKind::kNotFound, "No such image: {}", source);
  image::Image image = found->second;
  image.repo_tags = {target};
  images.emplace(target, std::move(image));
  co_return Result<void>();
}

engine::Task<std::vector<image::Image>> FakeEngine::list_images() {
  std::vector<image::Image> list;
  for (const auto& [name, image] : images) list.push_back(image);
  co_return list;
}

engine::Task<image::Image> FakeEngine::inspect_image(std::string reference) {
  for (const auto& [name, image] : images) {
    if (name == reference || name == reference + ":latest") co_return image;
  }
  co_return fail(ErrorKind::kNotFound, "No such image: {}", reference);
}

std::vector<network::NetworkInfo> FakeEngine::networks() const {
  network::NetworkInfo bridge;
  bridge.id = network::NetworkId(std::string(64, 'e'));
  bridge.name = "bridge";
  bridge.driver = "bridge";
  bridge.subnet = "172.17.0.0/16";
  bridge.gateway = "172.17.0.1";
  bridge.created = "2024-01-01T00:00:00Z";
  return {bridge};
}

Result<network::NetworkInfo> FakeEngine::find_network(std::string_view name) const {
  for (const network::NetworkInfo& network : networks()) {
    if (network.name == name || network.id.str() == name) return network;
  }
  return fail(ErrorKind::kNotFound, "network {} not found", name);
}

engine::EngineInfo FakeEngine::info() const {
  return {.id = "fake",
          .root = "/nowhere",
          .storage_driver = "overlay2",
          .cgroup_driver = "cgroupfs",
          .cgroup_version = "2",
          .running = list(false).size(),
          .stopped = list(true).size() - list(false).size(),
          .images = images.size()};
}

}  // namespace berth::docker
