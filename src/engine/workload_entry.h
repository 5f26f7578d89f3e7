// Workload: a workload as the running engine holds it: the view that others get, and what only a
// live engine knows. Owned by the registry through shared_ptr, so that a coroutine that is under
// way keeps what it works on. Event-loop thread only, except that pool threads read `view` members
// they were handed as copies.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "engine/holder_link.h"
#include "engine/offload.h"
#include "engine/workload.h"

namespace berth::engine {

struct PendingAttach {
  AttachOptions options;
  UniqueFd client;
};

class Frozen;  // freezer.h

struct Workload {
  explicit Workload(const boost::asio::any_io_executor& loop) : changed(loop) {}

  WorkloadView view;
  std::shared_ptr<HolderLink> holder;         // while running
  bool greeted = false;                       // the holder listens, and may be told to start
  std::optional<Result<void>> start_outcome;  // the holder's answer to Start
  std::vector<PendingAttach> pending_attach;  // sockets that wait for the start
  Signal changed;                             // state, exits or settling have changed
  std::uint64_t exits = 0;  // how often it has ended, for WaitCondition::kNextExit
  bool settling = false;    // it has ended, and its network and record are being brought up to date
  bool removed = false;     // gone from the registry; waiters still hold it
  bool renaming = false;    // its new name is on its way to the record
  bool restarting = false;  // its end is not the one after which it is to be removed
  std::string removal_failure;  // why the last attempt to remove it failed
  bool stop_asked = false;      // a user ended it: `stop`, `kill`, or `rm -f`
  unsigned readers = 0;         // of its file system, which has to stay until they are through
  std::vector<std::stop_source> exports;  // those of the readers that may never be through
  bool committing = false;                // one at a time: the end of one lets the processes go on
  std::shared_ptr<Frozen> frozen;         // while a commit has its processes stand still

  /// Something is under way that comes to an end by itself.
  bool in_transit() const {
    return settling || renaming || view.status.state == WorkloadState::kStarting;
  }
};

/// Keeps a workload from being removed while something looks into its file system.
class Reading {
 public:
  explicit Reading(std::shared_ptr<Workload> workload) : workload_(std::move(workload)) {
    ++workload_->readers;
  }
  ~Reading() {
    --workload_->readers;
    workload_->changed.notify_all();
  }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

 private:
  std::shared_ptr<Workload> workload_;
};

}  // namespace berth::engine
