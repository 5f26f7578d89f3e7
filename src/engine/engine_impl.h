// EngineImpl: the engine itself. One file per part of a workload's life: create.cc, start.cc,
// end.cc (exit, stop, kill), remove.cc, recovery.cc; queries and the rest are in engine.cc. Private
// to this folder.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/layout.h"
#include "engine/record_store.h"
#include "engine/registry.h"
#include "engine/volumes.h"
#include "engine/workload_entry.h"
#include "sys/dir.h"

namespace berth::engine {

class EngineImpl final : public Engine {
 public:
  EngineImpl(Options options, boost::asio::any_io_executor loop);
  ~EngineImpl() override;

  /// Opens stores and recovers; once, before anything else.
  Result<void> open_stores();
  Result<bool> may_be_connected() const;
  Result<void> recover();

  Task<CreateResult> create(std::string name, WorkloadConfig config) override;
  Task<bool> start(std::string workload) override;
  Task<> attach(std::string workload, AttachOptions options, UniqueFd client) override;
  Task<> resize(std::string workload, unsigned rows, unsigned columns) override;
  Task<> kill(std::string workload, int signal) override;
  Task<bool> stop(std::string workload, StopOptions options) override;
  Task<> restart(std::string workload, StopOptions options) override;
  Task<> remove(std::string workload, bool force, bool volumes) override;
  Task<> rename(std::string workload, std::string name) override;
  Task<ExitStatus> wait(std::string workload, WaitCondition condition) override;
  std::optional<ExitStatus> ended_meanwhile(std::string_view workload) const override;
  Result<WorkloadView> inspect(std::string_view workload) const override;
  std::vector<WorkloadView> list(bool all) const override;

  Task<std::vector<image::Change>> changes(std::string workload) override;
  Task<> export_filesystem(std::string workload, ByteSink& sink, std::stop_source stop) override;
  Task<std::string> commit(std::string workload, CommitOptions options) override;
  Task<std::int64_t> written_bytes(std::string workload) override;

  Task<std::vector<image::LoadResult>> load_images(ByteSource& archive) override;
  Task<std::string> import_image(ByteSource& tar,
                                 image::ImageService::ImportOptions options) override;
  Task<image::PullResult> pull_image(std::string reference, image::PullOptions options,
                                     std::function<void(const image::PullProgress&)> progress,
                                     std::stop_token stop) override;
  Task<> push_image(std::string reference, image::PushOptions options,
                    std::function<void(const image::PushProgress&)> progress,
                    std::stop_token stop) override;
  Task<> log_in(std::string server, image::Credentials credentials) override;
  Task<std::vector<std::string>> registry_tags(std::string repository,
                                               image::Credentials credentials) override;
  Task<image::Distribution> inspect_distribution(std::string reference,
                                                 image::Credentials credentials) override;
  Task<std::vector<image::SearchResult>> search_registry(std::string term, int limit,
                                                         image::Credentials credentials) override;
  Task<> save_images(std::vector<std::string> references, ByteSink& sink) override;
  Task<image::RemoveResult> remove_image(std::string reference, bool force) override;
  Task<PruneResult> prune_images(std::function<bool(const image::Image&)> wanted) override;
  Task<DiskUsage> disk_usage() override;
  Task<image::CheckReport> check_images(image::CheckOptions options) override;
  Task<> tag_image(std::string source, std::string target) override;
  Task<std::vector<image::Image>> list_images() override;
  Task<image::Image> inspect_image(std::string reference) override;

  std::vector<network::NetworkInfo> networks() const override;
  Result<network::NetworkInfo> find_network(std::string_view network) const override;
  EventBus& events() override { return events_; }
  EngineInfo info() const override;
  void close() override;

 private:
  using Entry = std::shared_ptr<Workload>;

  // start.cc. What launch() made on a pool thread, to be driven from the loop.
  struct Launch {
    UniqueFd socket;
    UniqueFd sandbox;
    std::optional<network::Endpoint> endpoint;
    holder::Start message;
    UniqueFd spec;
    UniqueFd holder;  // pidfd of the holder
  };
  Result<Launch> launch(const WorkloadView& view);
  Result<void> begin_run(const WorkloadId& id, const network::Endpoint& endpoint) const;
  Result<void> write_network_files(const WorkloadView& view,
                                   const network::Endpoint& endpoint) const;
  Result<void> tell_start(Workload& workload, const Launch& launch);
  boost::asio::awaitable<void> write_record(Entry workload);
  /// `before` is the state to go back to.
  Task<> run(Entry workload, WorkloadState before);
  void give_up_holder(const WorkloadId& id, int pidfd) const;
  Result<void> send_attach(Workload& workload, PendingAttach pending);
  void listen_to_holder(const Entry& workload, UniqueFd socket);
  void on_holder_message(const Entry& workload, const holder::HolderMessage& message);
  void on_holder_closed(const Entry& workload);

  // end.cc
  /// Waits until what is under way with `workload` has come to its end.
  boost::asio::awaitable<void> at_rest(Entry workload);
  /// After an end, or a start that failed, of a workload that asked for it.
  boost::asio::awaitable<void> auto_remove(Entry workload);
  boost::asio::awaitable<void> settle(Entry workload);
  void note_exit(const Entry& workload, const holder::Exited& exited);
  /// Waits until `workload` has ended; false if `timeout` passed first.
  boost::asio::awaitable<bool> ended_within(Entry workload, std::chrono::milliseconds timeout);
  Result<void> signal(Workload& workload, int signal);

  /// What became of a workload whose holder has gone: its exit record, or, if there is none, the
  /// remains are killed.
  Result<holder::Exited> end_of_lost(const WorkloadId& id) const;

  // remove.cc
  void remove_run_dir(const WorkloadId& id);
  Task<> remove_entry(Entry workload, bool volumes);
  Result<void> remove_data(const WorkloadView& view, const std::vector<std::string>& volumes);
  /// The volumes of a workload that no other one mounts.
  std::vector<std::string> own_volumes(const WorkloadView& view) const;

  // recovery.cc
  Result<void> recover_workload(const Entry& workload);
  Result<void> settle_past(const Entry& workload, bool began);
  void remember_end(const WorkloadView& view);
  void remove_orphans();
  Result<void> remove_orphan_directories(const std::string& directory);
  Result<void> remove_orphan_snapshots();
  Result<void> remove_orphan_volumes();
  bool owned(std::string_view id) const { return registry_.find(id).ok(); }

  // filesystem.cc
  /// The workload, to look into its file system. kConflict: it is being removed.
  Result<Entry> readable(const std::string& reference) const;

  // usage.cc
  std::vector<DiskUsage::VolumeUse> volume_uses() const;

  // images.cc
  /// Ids of the images that workloads were made of, or are being made of.
  std::vector<std::string> images_in_use() const;
  void publish_image(const std::string& id, const std::string& name, std::string action);
  boost::asio::awaitable<void> count_images();

  Result<void> check_network(const WorkloadConfig& config) const;
  void publish(const Workload& workload, std::string action,
               std::map<std::string, std::string> attributes = {});
  std::size_t count(WorkloadState state) const;

  Options options_;
  boost::asio::any_io_executor loop_;
  Layout layout_;
  std::optional<sys::DirLock> lock_;
  std::unique_ptr<RecordStore> records_;
  std::unique_ptr<image::ImageService> images_;
  std::unique_ptr<network::Controller> network_;
  Volumes volumes_;
  Registry registry_;
  EventBus events_;
  std::size_t image_count_ = 0;
  std::vector<std::string> creating_from_;  // images of workloads that are being created
  struct PastEnd {
    std::string id;
    std::string name;
    ExitStatus status;
    std::chrono::steady_clock::time_point known_until;
  };
  std::vector<PastEnd> past_ends_;  // ended_meanwhile()
  // Last: their threads end before what they use. Uploads have threads of their own: a client that
  // sends an archive slowly must not hold up a start.
  boost::asio::thread_pool pool_;
  boost::asio::thread_pool uploads_;
  boost::asio::thread_pool pulls_;
  boost::asio::thread_pool exports_;  // whose clients may read slowly
  std::stop_source closing_;          // for pulls, which may take long
};

}  // namespace berth::engine
