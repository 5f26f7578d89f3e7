// Store: what berth-runtime remembers of each container between two of its runs, below --root.
// docs/formats/runtime-state.md.
//
//   <root>/<id>/state.json   complete, or not there yet
//   <root>/<id>/config.json  the bundle's, as it was when the container was made
//   <root>/<id>/start.sock   as long as init waits for the word to start
//
// A container belongs to whoever made its directory: making it is the lock on the id. Files are
// replaced by rename, so a reader never sees a part (complete() changes one byte); they are not
// synced to disk, as no container outlives the kernel it runs on.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "container/isolate/shared_root.h"
#include "container/spec/spec.h"

namespace berth::runtime {

struct Record {
  std::string id;
  std::string bundle;
  std::string rootfs;
  std::string program;  // args[0], for messages
  std::string created;  // RFC 3339
  pid_t pid = 0;
  std::uint64_t start_time = 0;  // of pid, in clock ticks since boot: proc_pid_stat(5), field 22
  std::vector<std::string> cgroups;
  std::string unit;  // of systemd, that the cgroups are of; empty: of none
  /// What its streams were, if one is a pipe: container/checkpoint/descriptors.h.
  std::vector<std::string> streams = {};
  std::vector<std::string> rdt_groups;  // of resctrl, to be removed in this order
  container::SharedRoot root;           // container::Begun, as the next
  bool owns_cgroups = false;
  /// Written before the container is complete, to be found if its maker is killed: `pid` may be 0,
  /// and the cgroups may not have been made, or be another's.
  bool creating = false;
};

enum class Status { kCreating, kCreated, kRunning, kPaused, kStopped };
std::string_view to_string(Status status);

class Store {
 public:
  explicit Store(const std::string& root) : root_(root) {}

  /// kConflict: there is such a container.
  Result<void> reserve(const std::string& id) const;
  Result<void> save(const Record& record) const;
  /// The container of the record that was saved last is complete. One byte changes, in place: a
  /// reader sees it before or after, and the disk is spared a second file.
  Result<void> complete(Record& record) const;
  /// kNotFound: no such container.
  Result<Record> load(const std::string& id) const;
  /// Whether the directory is there, with or without a complete record.
  bool exists(const std::string& id) const;
  Status status(const Record& record) const;
  /// Keeps the text of the config.json the container is made of: the bundle's may change, or go.
  Result<void> keep_spec(const std::string& id, std::string_view json) const;
  Result<container::Spec> spec(const std::string& id) const;
  Result<void> forget(const std::string& id) const;

  /// Makes start.sock and listens on it.
  Result<UniqueFd> listen_for_start(const std::string& id) const;
  Result<UniqueFd> connect_to_start(const std::string& id) const;
  /// From now on the container counts as running.
  void mark_started(const std::string& id) const;

 private:
  std::string directory(const std::string& id) const { return root_ + "/" + id; }
  std::string socket_path(const std::string& id) const { return directory(id) + "/start.sock"; }

  std::string root_;
};

/// Field 22 of /proc/<pid>/stat; nullopt: no such process, or a zombie.
std::optional<std::uint64_t> start_time_of(pid_t pid);

}  // namespace berth::runtime
