// Engine: the one place where the rooms meet. It owns the records of all workloads, their images,
// networks and volumes, and drives one holder per running workload.
//
// Threads: every member function is called, and every coroutine resumes, on the event-loop thread
// given to open(); the state has no locks. What blocks (disk, netlink, spawning) runs on the
// engine's own small thread pool in between, while the workload's state says what is under way, so
// a second caller gets a conflict and never half a workload. The caller keeps the Engine alive
// until all coroutines have ended.
//
// A WORKLOAD argument is a full id, a name, or an unambiguous prefix of an id; kNotFound says "No
// such container: X".
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_sink.h"
#include "base/byte_source.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "engine/events.h"
#include "engine/workload.h"
#include "image/changes/changes.h"
#include "image/image_service.h"
#include "image/registry/distribution.h"
#include "network/controller.h"

namespace berth::engine {

template <typename T = void>
using Task = boost::asio::awaitable<Result<T>>;

struct CreateResult {
  WorkloadId id;
  std::vector<std::string> warnings;
};

struct AttachOptions {
  bool stdin_stream = false;
  bool stdout_stream = false;
  bool stderr_stream = false;
  std::string detach_keys;  // "" : ctrl-p,ctrl-q
  std::string early_input;  // what the client had sent behind its request
};

enum class WaitCondition { kNotRunning, kNextExit, kRemoved };

struct ExitStatus {
  int code = 0;
  std::string error;
};

struct StopOptions {
  std::optional<int> timeout = {};  // seconds until SIGKILL, -1: never; empty: the workload's own
  std::optional<int> signal = {};   // empty: the workload's own
};

struct CommitOptions {
  std::string reference = {};  // "repo:tag"; empty: no name
  std::string author = {};
  std::string comment = {};
  bool pause = true;  // stop the workload's processes meanwhile
  image::ImageConfig config = {};
};

struct PruneResult {
  image::RemoveResult removed = {};
  std::int64_t freed = 0;  // bytes of the layers and blobs that are gone
};

/// What takes how much room. Bytes.
struct DiskUsage {
  struct ImageUse {
    image::Image image = {};
    std::int64_t size = 0;       // of its layers' files, and of the blobs that it came in
    std::int64_t shared = 0;     // of that, what other images have as well
    std::int64_t workloads = 0;  // how many were made of it
  };
  struct WorkloadUse {
    WorkloadView view = {};
    std::int64_t written = 0;  // its own layer, as allocated on disk
    std::int64_t whole = 0;    // with its image's
  };
  struct VolumeUse {
    std::string name = {};
    std::string path = {};
    std::int64_t bytes = 0;      // as allocated on disk; -1: not known
    std::int64_t workloads = 0;  // how many mount it
    bool anonymous = false;
  };
  std::int64_t store = 0;  // of all layers and blobs, each counted once
  std::vector<ImageUse> images = {};
  std::vector<WorkloadUse> workloads = {};
  std::vector<VolumeUse> volumes = {};
};

struct EngineInfo {
  std::string id;  // of this engine, kept across restarts
  std::string root;
  std::string storage_driver;
  std::string cgroup_driver;   // "cgroupfs"
  std::string cgroup_version;  // "1", "2"
  std::size_t running = 0, stopped = 0, images = 0;
};

class Engine {
 public:
  struct Options {
    std::string root;         // what must last: images, records, logs, volumes
    std::string run;          // what lasts until reboot: sockets
    std::string holder_path;  // the berth-holder program
    std::string init_path;    // the init that --init puts first; empty: --init is refused
    std::string storage_driver;
    std::vector<std::string> storage_options = {};
    image::RegistrySettings registries = {};
    std::string bridge = "berth0";
    std::string bridge_subnet;  // "" : picked
    unsigned pool_size = 4;     // prepared sandboxes
  };

  /// Opens the stores, takes back every workload that still runs, settles those that ended
  /// meanwhile, and clears away what a crash left half made. Blocks. kConflict: another engine uses
  /// this root.
  static Result<std::unique_ptr<Engine>> open(Options options, boost::asio::any_io_executor loop);
  virtual ~Engine() = default;

  // Workloads
  virtual Task<CreateResult> create(std::string name, WorkloadConfig config) = 0;
  /// No error and `false` if it runs already (Docker's 304).
  virtual Task<bool> start(std::string workload) = 0;
  /// Hands the client's connected stream socket to the workload's holder, which owns it from then
  /// on. A workload that is not running keeps it until start; kConflict if it has been given
  /// kMaxPendingAttach already.
  virtual Task<> attach(std::string workload, AttachOptions options, UniqueFd client) = 0;
  virtual Task<> resize(std::string workload, unsigned rows, unsigned columns) = 0;
  virtual Task<> kill(std::string workload, int signal) = 0;
  /// Sends the stop signal, after the timeout SIGKILL, and waits for the end. `false` if it was not
  /// running (Docker's 304).
  virtual Task<bool> stop(std::string workload, StopOptions options) = 0;
  /// A stop, if it runs, and a start; one that is to be removed at its end survives this one.
  virtual Task<> restart(std::string workload, StopOptions options) = 0;
  virtual Task<> remove(std::string workload, bool force, bool volumes) = 0;
  virtual Task<> rename(std::string workload, std::string name) = 0;
  virtual Task<ExitStatus> wait(std::string workload, WaitCondition condition) = 0;

  /// How a workload ended that was removed at its end while no engine lived. Kept for a minute, so
  /// that who waited for it can learn it.
  virtual std::optional<ExitStatus> ended_meanwhile(std::string_view workload) const = 0;

  virtual Result<WorkloadView> inspect(std::string_view workload) const = 0;
  virtual std::vector<WorkloadView> list(bool all) const = 0;

  // What a workload's file system has become. The workload may be running; it cannot be removed
  // meanwhile, unless by force, which waits.
  /// Against its image: image/changes/changes.h.
  virtual Task<std::vector<image::Change>> changes(std::string workload) = 0;
  /// All of it as a tar stream, without what is mounted there when it runs. `sink` is written to by
  /// another thread than the event loop's; once it fails, the export ends. The engine requests
  /// `stop` if the workload is removed by force: whoever waits in `sink` then lets it fail.
  virtual Task<> export_filesystem(std::string workload, ByteSink& sink, std::stop_source stop) = 0;
  /// Makes an image of it, and returns the image's id. kConflict: its processes do not stop.
  virtual Task<std::string> commit(std::string workload, CommitOptions options) = 0;
  /// How much its own layer holds, as allocated on disk.
  virtual Task<std::int64_t> written_bytes(std::string workload) = 0;

  // Images. Blocking work runs on the pool; `archive` is read there and must stay alive until the
  // task ends.
  virtual Task<std::vector<image::LoadResult>> load_images(ByteSource& archive) = 0;
  virtual Task<std::string> import_image(ByteSource& tar,
                                         image::ImageService::ImportOptions options) = 0;
  /// As ImageService::pull(). `progress` is called on other threads than the event loop's.
  virtual Task<image::PullResult> pull_image(
      std::string reference, image::PullOptions options,
      std::function<void(const image::PullProgress&)> progress, std::stop_token stop) = 0;
  /// As ImageService::push(). `progress` is called on other threads than the event loop's.
  virtual Task<> push_image(std::string reference, image::PushOptions options,
                            std::function<void(const image::PushProgress&)> progress,
                            std::stop_token stop) = 0;
  /// Whether the registry `server` ("reg.example:5000"; "": Docker Hub) lets these credentials in.
  /// kPermission: it does not.
  virtual Task<> log_in(std::string server, image::Credentials credentials) = 0;
  /// Every tag of a repository at its registry.
  virtual Task<std::vector<std::string>> registry_tags(std::string repository,
                                                       image::Credentials credentials) = 0;
  /// What a name stands for at its registry. The same errors as of a pull.
  virtual Task<image::Distribution> inspect_distribution(std::string reference,
                                                         image::Credentials credentials) = 0;
  /// image/registry/distribution.h.
  virtual Task<std::vector<image::SearchResult>> search_registry(
      std::string term, int limit, image::Credentials credentials) = 0;
  /// As ImageService::save(). `sink` is called on another thread than the event loop's.
  virtual Task<> save_images(std::vector<std::string> references, ByteSink& sink) = 0;
  virtual Task<image::RemoveResult> remove_image(std::string reference, bool force) = 0;
  /// Removes every image of those that are `wanted` that no workload was made of, with all its
  /// names. What cannot be removed stays, with a word in the log.
  virtual Task<PruneResult> prune_images(std::function<bool(const image::Image&)> wanted) = 0;
  virtual Task<> tag_image(std::string source, std::string target) = 0;
  virtual Task<std::vector<image::Image>> list_images() = 0;
  virtual Task<image::Image> inspect_image(std::string reference) = 0;

  /// Walks what workloads have written and what volumes hold: it may take long.
  virtual Task<DiskUsage> disk_usage() = 0;
  /// As ImageService::check(): it may take long. Images that workloads were made of are in use.
  virtual Task<image::CheckReport> check_images(image::CheckOptions options) = 0;

  // Networks, the engine itself
  virtual std::vector<network::NetworkInfo> networks() const = 0;
  virtual Result<network::NetworkInfo> find_network(std::string_view network) const = 0;
  virtual EventBus& events() = 0;
  virtual EngineInfo info() const = 0;
  /// Lets running workloads be and closes the stores: what a clean end of the daemon calls.
  virtual void close() = 0;
};

/// Sockets that a workload not yet running may have waiting.
inline constexpr std::size_t kMaxPendingAttach = 16;

}  // namespace berth::engine
