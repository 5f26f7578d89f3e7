// FakeEngine: an engine without a host: workloads are rows in memory, and end when a test says so.
// What it was asked is kept for tests to look at. Event-loop thread only, as the real one.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <map>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace berth::docker {

class FakeEngine final : public engine::Engine {
 public:
  explicit FakeEngine(boost::asio::any_io_executor loop);

  engine::Task<engine::CreateResult> create(std::string name,
                                            engine::WorkloadConfig config) override;
  engine::Task<bool> start(std::string workload) override;
  engine::Task<> attach(std::string workload, engine::AttachOptions options,
                        UniqueFd client) override;
  engine::Task<> resize(std::string workload, unsigned rows, unsigned columns) override;
  engine::Task<> kill(std::string workload, int signal) override;
  engine::Task<bool> stop(std::string workload, engine::StopOptions options) override;
  engine::Task<> restart(std::string workload, engine::StopOptions options) override;
  std::optional<engine::ExitStatus> ended_meanwhile(std::string_view workload) const override;
  engine::Task<> remove(std::string workload, bool force, bool volumes) override;
  engine::Task<> rename(std::string workload, std::string name) override;
  engine::Task<engine::ExitStatus> wait(std::string workload,
                                        engine::WaitCondition condition) override;
  Result<engine::WorkloadView> inspect(std::string_view workload) const override;
  std::vector<engine::WorkloadView> list(bool all) const override;
  engine::Task<std::vector<image::Change>> changes(std::string workload) override;
  engine::Task<> export_filesystem(std::string workload, ByteSink& sink,
                                   std::stop_source stop) override;
  engine::Task<std::string> commit(std::string workload, engine::CommitOptions options) override;
  engine::Task<std::int64_t> written_bytes(std::string workload) override;
  engine::Task<std::vector<image::LoadResult>> load_images(ByteSource& archive) override;
  engine::Task<std::string> import_image(ByteSource& tar,
                                         image::ImageService::ImportOptions options) override;
  engine::Task<image::PullResult> pull_image(
      std::string reference, image::PullOptions options,
      std::function<void(const image::PullProgress&)> progress, std::stop_token stop) override;
  engine::Task<> push_image(std::string reference, image::PushOptions options,
                            std::function<void(const image::PushProgress&)> progress,
                            std::stop_token stop) override;
  engine::Task<> log_in(std::string server, image::Credentials credentials) override;
  engine::Task<std::vector<std::string>> registry_tags(std::string repository,
                                                       image::Credentials credentials) override;
  engine::Task<image::Distribution> inspect_distribution(std::string reference,
                                                         image::Credentials credentials) override;
  engine::Task<std::vector<image::SearchResult>> search_registry(
      std::string term, int limit, image::Credentials credentials) override;
  engine::Task<> save_images(std::vector<std::string> references, ByteSink& sink) override;
  engine::Task<image::RemoveResult> remove_image(std::string reference, bool force) override;
  engine::Task<engine::PruneResult> prune_images(
      std::function<bool(const image::Image&)> wanted) override;
  engine::Task<engine::DiskUsage> disk_usage() override;
  engine::Task<image::CheckReport> check_images(image::CheckOptions options) override;
  engine::Task<> tag_image(std::string source, std::string target) override;
  engine::Task<std::vector<image::Image>> list_images() override;
  engine::Task<image::Image> inspect_image(std::string reference) override;
  std::vector<network::NetworkInfo> networks() const override;
  Result<network::NetworkInfo> find_network(std::string_view network) const override;
  engine::EventBus& events() override { return events_; }
  engine::EngineInfo info() const override;
  void close() override {}

  /// Ends a running workload, as its exit would.
  void end(const std::string& workload, int exit_code);

  std::map<std::string, engine::WorkloadView> workloads;  // by id
  std::map<std::string, image::Image> images;             // by first name
  // What was asked.
  engine::AttachOptions attach_options;
  UniqueFd attached;
  int last_signal = 0;
  unsigned rows = 0, columns = 0;
  engine::StopOptions stop_options;
  int waiting = 0;     // wait() calls under way
  std::string pulled;  // the reference of the last pull
  std::string pushed;
  std::string searched;  // the term of the last search
  std::vector<std::string> saved;
  image::PullOptions pull_options;
  std::string uploaded;
  image::ImageService::ImportOptions import_options;
  bool export_ended = false;
  std::stop_source export_stop;  // of the last export
  engine::CommitOptions commit_options;
  // What it answers.
  engine::DiskUsage usage;
  image::CheckOptions check_options;
  image::CheckReport check_report;
  std::vector<image::Change> changed;  // of every workload
  std::size_t export_bytes = 0;        // of every workload
  std::optional<Error> export_error;   // after them
  std::optional<Error> attach_error;
  std::optional<Error> load_error;

 private:
  engine::WorkloadView* find(std::string_view workload);
  boost::asio::awaitable<std::string> read_on_pool(ByteSource& source);

  boost::asio::steady_timer changed_;  // cancelled when a workload ends
  engine::EventBus events_;
  boost::asio::thread_pool pool_;
};

}  // namespace berth::docker
