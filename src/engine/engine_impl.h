// EngineImpl: the engine itself. One file per part of a workload's life: create.cc, start.cc,
// end.cc (exit, stop, kill), remove.cc, recovery.cc; queries and the rest are in engine.cc. Private
// to this folder.
#pragma once

#include <boost/asio/thread_pool.hpp>
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
  Task<bool> stop(std::string workload, std::optional<int> timeout) override;
  Task<> remove(std::string workload, bool force, bool volumes) override;
  Task<> rename(std::string workload, std::string name) override;
  Task<ExitStatus> wait(std::string workload, WaitCondition condition) override;
  Result<WorkloadView> inspect(std::string_view workload) const override;
  std::vector<WorkloadView> list(bool all) const override;

  Task<std::vector<image::LoadResult>> load_images(ByteSource& archive) override;
  Task<std::string> import_image(ByteSource& tar,
                                 image::ImageService::ImportOptions options) override;
  Task<image::RemoveResult> remove_image(std::string reference, bool force) override;
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
  };
  Result<Launch> launch(const WorkloadView& view);
  Result<void> begin_run(const WorkloadId& id, const network::Endpoint& endpoint) const;
  Result<void> write_network_files(const WorkloadView& view,
                                   const network::Endpoint& endpoint) const;
  Result<void> tell_start(Workload& workload, const Launch& launch);
  boost::asio::awaitable<void> write_record(Entry workload);
  Task<> run(Entry workload);
  Result<void> send_attach(Workload& workload, PendingAttach pending);
  void listen_to_holder(const Entry& workload, UniqueFd socket);
  void on_holder_message(const Entry& workload, const holder::HolderMessage& message);
  void on_holder_closed(const Entry& workload);

  // end.cc
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
  Result<void> remove_data(const WorkloadView& view, bool volumes);

  // recovery.cc
  Result<void> recover_workload(WorkloadView view);
  Result<void> remove_orphans();

  // images.cc
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
  // Last: their threads end before what they use. Uploads have threads of their own: a client that
  // sends an archive slowly must not hold up a start.
  boost::asio::thread_pool pool_;
  boost::asio::thread_pool uploads_;
};

}  // namespace berth::engine
