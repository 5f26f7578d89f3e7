// Recovery: what an engine makes of the records, sockets and exit records that an earlier one left.
// Runs before the event loop does, so it may block. docs/design/engine.md, "What is true after a
// crash".
#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "base/log.h"
#include "container/cgroup/manager.h"
#include "engine/engine_impl.h"
#include "engine/freezer.h"
#include "engine/record.h"
#include "holder/client.h"
#include "sys/dir.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/socket.h"

namespace berth::engine {
namespace {

// A holder greets at once; one that does not within this long is stuck.
constexpr std::chrono::seconds kHelloPatience{10};
// How long killed processes may take to be gone.
constexpr std::chrono::seconds kDeathPatience{10};
// Docker's answer for a workload of which nobody knows how it ended.
constexpr int kLostExitCode = 255;
// How long the end of a workload that is gone is known for those who had waited for it.
constexpr std::chrono::minutes kEndKnown{1};

struct Greeted {
  UniqueFd socket;
  holder::Hello hello;
};

Result<Greeted> greet(const std::string& run_dir) {
  UniqueFd socket = TRY(holder::connect_holder(run_dir));
  const holder::HolderMessage greeting = TRY(holder::receive(socket.get(), kHelloPatience));
  const auto* hello = std::get_if<holder::Hello>(&greeting);
  if (hello == nullptr)
    return fail(ErrorKind::kInternal, "the holder in {} says no hello", run_dir);
  return Greeted{.socket = std::move(socket), .hello = *hello};
}

// Field 22 of /proc/PID/stat, proc(5). The command in field 2 may contain spaces and parentheses.
Result<std::string> start_time(pid_t pid) {
  const std::string stat = TRY(sys::read_file(fmt::format("/proc/{}/stat", pid)));
  std::size_t at = stat.rfind(')');
  for (int field = 2; field < 22 && at != std::string::npos; ++field) at = stat.find(' ', at + 1);
  if (at == std::string::npos)
    return fail(ErrorKind::kCorrupt, "/proc/{}/stat is not as proc(5) says", pid);
  return stat.substr(at + 1, stat.find(' ', at + 1) - at - 1);
}

// Kills process `pid` if it is still the one that had this start time, and waits until it is gone.
Result<void> kill_process(pid_t pid, const std::string& expected_start) {
  if (pid <= 1) return {};
  auto pidfd = sys::open_pidfd(pid);
  if (!pidfd.ok()) return {};  // it has ended
  const auto start = start_time(pid);
  if (!start.ok() || *start != expected_start) return {};  // the number is somebody else's by now
  if (auto killed = sys::signal_process(pidfd->get(), SIGKILL); !killed.ok()) {
    if (killed.error().kind() == ErrorKind::kNotFound) return {};
    return killed;
  }
  if (!TRY(sys::wait_readable(pidfd->get(), kDeathPatience)))
    return fail(ErrorKind::kInternal, "process {} does not die: it may be stuck in the kernel",
                pid);
  return {};
}

// Kills what a holder that is gone has left behind: the workload's init, and whatever else is in
// its cgroups, which go with it.
Result<void> clear_remains(const std::string& run_dir) {
  auto text = sys::read_file(fmt::format("{}/{}", run_dir, holder::kStartedName));
  if (!text.ok()) return {};  // nothing had been started
  const holder::StartedRecord started = TRY(holder::started_record_from_json(*text));
  TRY(kill_process(started.holder_pid, started.holder_start));
  TRY(kill_process(started.pid, started.pid_start));
  // With a pid namespace of its own everything has ended with init; without, the cgroups know the
  // rest.
  return TRY(container::adopt_cgroups(started.cgroups))->destroy();
}

}  // namespace

Result<holder::Exited> EngineImpl::end_of_lost(const WorkloadId& id) const {
  const std::string record = fmt::format("{}/{}", layout_.state_dir(id), holder::kExitName);
  if (auto text = sys::read_file(record); text.ok()) return holder::exit_record_from_json(*text);
  TRY(clear_remains(layout_.run_dir(id)));
  return holder::Exited{
      .exit_code = kLostExitCode,
      .oom_killed = false,
      .finished_at = format_rfc3339(now()),
      .error = "the workload was lost: its holder, or the host, went down without an exit record"};
}

void EngineImpl::give_up_holder(const WorkloadId& id, int pidfd) const {
  if (auto killed = sys::signal_process(pidfd, SIGKILL); !killed.ok())
    log::warning("workload {}: {}", id.brief(), killed.error().message());
  if (auto cleared = clear_remains(layout_.run_dir(id)); !cleared.ok())
    log::warning("workload {}: {}", id.brief(), cleared.error().message());
}

// One workload that cannot be understood must not keep the others from being taken back: it is
// listed, as ended, with the reason.
Result<void> EngineImpl::recover() {
  for (WorkloadView& view : TRY(records_->load_all())) {
    const auto workload = std::make_shared<Workload>(loop_);
    workload->view = std::move(view);
    TRY(registry_.reserve_name(workload->view.name, workload->view.id));
    registry_.add(workload);
    auto recovered = recover_workload(workload);
    if (recovered.ok() && records_->is_damaged(workload->view.id) &&
        workload->view.status.state != WorkloadState::kRunning)
      recovered = records_->update(workload->view);  // says so
    if (recovered.ok()) continue;
    log::error("workload {}: {}", workload->view.id.brief(), recovered.error().message());
    WorkloadStatus& status = workload->view.status;
    status.state = WorkloadState::kExited;
    status.exit_code = kLostExitCode;
    status.error = recovered.error().message();
  }
  TRY(network_->finish_adoption());
  remove_orphans();
  return {};
}

Result<void> EngineImpl::recover_workload(const Entry& workload) {
  WorkloadStatus& status = workload->view.status;
  const WorkloadId& id = workload->view.id;
  const std::string run_dir = layout_.run_dir(id);
  const bool has_run = ::access(run_dir.c_str(), F_OK) == 0;
  const bool was_running =
      status.state == WorkloadState::kRunning || status.state == WorkloadState::kStarting;
  auto greeted =
      has_run ? greet(run_dir) : Result<Greeted>(fail(ErrorKind::kNotFound, "no run directory"));
  if (!greeted.ok() || !greeted->hello.running) {
    if (!has_run && !was_running) return {};
    // Its last run is over, or was cut off before it began.
    const auto left = [](const std::string& directory, std::string_view name) {
      return ::access(fmt::format("{}/{}", directory, name).c_str(), F_OK) == 0;
    };
    return settle_past(workload, was_running || left(run_dir, holder::kStartedName) ||
                                     left(layout_.state_dir(id), holder::kExitName));
  }

  status.state = WorkloadState::kRunning;
  status.pid = greeted->hello.pid;
  status.started_at = parse_rfc3339(greeted->hello.started_at).value_or(now());
  if (auto text = sys::read_file(layout_.endpoint(id)); text.ok()) {
    auto endpoint = endpoint_from_json(*text);
    auto adopted = endpoint.ok() ? network_->adopt(*endpoint) : Result<void>(endpoint.error());
    // It runs, and what was connected still is.
    if (!adopted.ok()) log::warning("workload {}: {}", id.brief(), adopted.error().message());
    if (endpoint.ok()) status.endpoint = std::move(*endpoint);
  }
  thaw_left_over(run_dir);
  listen_to_holder(workload, std::move(greeted->socket));
  return {};
}

Result<void> EngineImpl::settle_past(const Entry& workload, bool began) {
  WorkloadView& view = workload->view;
  WorkloadStatus& status = view.status;
  if (!began && status.state == WorkloadState::kStarting) status.state = WorkloadState::kCreated;
  if (began) {
    const holder::Exited exited = TRY(end_of_lost(view.id));
    status.state = WorkloadState::kExited;
    status.exit_code = exited.exit_code;
    status.oom_killed = exited.oom_killed;
    status.error = exited.error;
    status.finished_at = parse_rfc3339(exited.finished_at).value_or(now());
    if (!status.started_at) status.started_at = status.finished_at;
    workload->exits = 1;
  }
  if (began && view.config.auto_remove) {
    remember_end(view);
    TRY(records_->erase(view.id));
    registry_.release_name(view.name);
    registry_.remove(view.id);
    return remove_data(view, own_volumes(view));
  }
  // Where the record cannot be brought up to date, on a full disk say, the next start finds the
  // same.
  if (auto written = records_->update(view); !written.ok())
    log::warning("workload {}: {}", view.id.brief(), written.error().message());
  else
    remove_run_dir(view.id);
  return {};
}

void EngineImpl::remember_end(const WorkloadView& view) {
  past_ends_.push_back({.id = view.id.str(),
                        .name = view.name,
                        .status = {.code = view.status.exit_code, .error = {}},
                        .known_until = std::chrono::steady_clock::now() + kEndKnown});
}

// What no record names. What cannot be taken away now is tried again at the next start.
void EngineImpl::remove_orphans() {
  const auto attempt = [](const Result<void>& done) {
    if (!done.ok()) log::warning("clear away what no workload owns: {}", done.error().message());
  };
  attempt(remove_orphan_directories(layout_.workloads()));
  attempt(remove_orphan_directories(layout_.runs()));
  attempt(remove_orphan_snapshots());
  attempt(images_->collect_garbage());
  attempt(volumes_.sweep());
  attempt(remove_orphan_volumes());
}

Result<void> EngineImpl::remove_orphan_directories(const std::string& directory) {
  const UniqueFd parent = TRY(sys::open_dir(directory));
  Result<void> all;
  for (const sys::DirEntry& entry : TRY(sys::list_dir(parent.get()))) {
    if (owned(entry.name)) continue;
    const auto clear = [&]() -> Result<void> {
      // A run whose record is gone: its removal was cut off after the record went.
      if (directory == layout_.runs()) TRY(clear_remains(directory + "/" + entry.name));
      TRY(sys::remove_tree(parent.get(), entry.name));
      log::info("removed {}/{}, which no workload owns", directory, entry.name);
      return {};
    };
    if (auto cleared = clear(); !cleared.ok()) all = std::move(cleared);
  }
  return all;
}

Result<void> EngineImpl::remove_orphan_snapshots() {
  constexpr std::string_view kPrefix = "workload-";
  Result<void> all;
  for (const image::SnapshotInfo& snapshot : TRY(images_->snapshots().list())) {
    if (!snapshot.key.starts_with(kPrefix) || owned(snapshot.key.substr(kPrefix.size()))) continue;
    if (auto removed = images_->snapshots().remove(snapshot.key); !removed.ok())
      all = std::move(removed);
    else
      log::info("removed snapshot {}, which no workload owns", snapshot.key);
  }
  return all;
}

Result<void> EngineImpl::remove_orphan_volumes() {
  std::vector<std::string> names = TRY(volumes_.anonymous());
  for (const Entry& workload : registry_.all())
    for (const MountPoint& point : workload->view.mounts) std::erase(names, point.name);
  Result<void> all;
  for (const std::string& name : names) {
    if (auto removed = volumes_.remove_if_anonymous(name); !removed.ok())
      all = std::move(removed);
    else
      log::info("removed volume {}, which nobody named and no workload mounts", name);
  }
  return all;
}

}  // namespace berth::engine
