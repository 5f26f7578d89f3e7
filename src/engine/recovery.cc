// Recovery: what an engine makes of the records, sockets and exit records that an earlier one left.
// Runs before the event loop does, so it may block. docs/design/engine.md, "What is true after a
// crash".
#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "base/log.h"
#include "engine/engine_impl.h"
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

// Kills what a holder that is gone has left behind: the workload's init, with which its pid
// namespace ends, and its cgroups, which are empty then.
Result<void> clear_remains(const std::string& run_dir) {
  auto text = sys::read_file(fmt::format("{}/{}", run_dir, holder::kStartedName));
  if (!text.ok()) return {};  // nothing had been started
  const holder::StartedRecord started = TRY(holder::started_record_from_json(*text));
  TRY(kill_process(started.holder_pid, started.holder_start));
  TRY(kill_process(started.pid, started.pid_start));
  for (const std::string& cgroup : started.cgroups) {
    // One that is busy or gone is not worth more than a line.
    if (::rmdir(cgroup.c_str()) != 0 && errno != ENOENT)
      log::warning("{}", fail_errno("remove cgroup {}", cgroup).message());
  }
  return {};
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

Result<void> EngineImpl::recover() {
  for (WorkloadView& view : TRY(records_->load_all())) TRY(recover_workload(std::move(view)));
  TRY(network_->finish_adoption());
  return remove_orphans();
}

Result<void> EngineImpl::recover_workload(WorkloadView view) {
  const auto workload = std::make_shared<Workload>(loop_);
  workload->view = std::move(view);
  WorkloadStatus& status = workload->view.status;
  const WorkloadId& id = workload->view.id;
  TRY(registry_.reserve_name(workload->view.name, id));
  registry_.add(workload);

  const std::string run_dir = layout_.run_dir(id);
  const bool has_run = ::access(run_dir.c_str(), F_OK) == 0;
  const bool was_running =
      status.state == WorkloadState::kRunning || status.state == WorkloadState::kStarting;
  std::optional<network::Endpoint> endpoint;
  if (auto text = sys::read_file(layout_.endpoint(id)); text.ok()) {
    if (auto parsed = endpoint_from_json(*text); parsed.ok()) endpoint = *parsed;
  }

  auto greeted =
      has_run ? greet(run_dir) : Result<Greeted>(fail(ErrorKind::kNotFound, "no run directory"));
  if (greeted.ok() && greeted->hello.running) {
    status.state = WorkloadState::kRunning;
    status.pid = greeted->hello.pid;
    status.started_at = parse_rfc3339(greeted->hello.started_at).value_or(now());
    if (endpoint) {
      TRY(network_->adopt(*endpoint));
      status.endpoint = endpoint;
    }
    listen_to_holder(workload, std::move(greeted->socket));
    return {};
  }
  if (!has_run && !was_running) return {};

  // Its last run is over, or was cut off before it began.
  const bool began =
      was_running ||
      ::access(fmt::format("{}/{}", run_dir, holder::kStartedName).c_str(), F_OK) == 0 ||
      ::access(fmt::format("{}/{}", layout_.state_dir(id), holder::kExitName).c_str(), F_OK) == 0;
  if (began) {
    const holder::Exited exited = TRY(end_of_lost(id));
    status.state = WorkloadState::kExited;
    status.exit_code = exited.exit_code;
    status.oom_killed = exited.oom_killed;
    status.error = exited.error;
    status.finished_at = parse_rfc3339(exited.finished_at).value_or(now());
    if (!status.started_at) status.started_at = status.finished_at;
    workload->exits = 1;
  }
  remove_run_dir(id);
  if (began && workload->view.config.auto_remove) {
    TRY(records_->erase(id));
    TRY(remove_data(workload->view, true));
    registry_.release_name(workload->view.name);
    registry_.remove(id);
    return {};
  }
  return records_->update(workload->view);
}

Result<void> EngineImpl::remove_orphans() {
  const auto owned = [this](const std::string& id) { return registry_.find(id).ok(); };
  for (const std::string& directory : {layout_.workloads(), layout_.runs()}) {
    const UniqueFd parent = TRY(sys::open_dir(directory));
    for (const sys::DirEntry& entry : TRY(sys::list_dir(parent.get()))) {
      if (owned(entry.name)) continue;
      // A run whose record is gone: its removal was cut off after the record went.
      if (directory == layout_.runs()) TRY(clear_remains(directory + "/" + entry.name));
      TRY(sys::remove_tree(parent.get(), entry.name));
      log::info("removed {}/{}, which no workload owns", directory, entry.name);
    }
  }
  constexpr std::string_view kPrefix = "workload-";
  for (const image::SnapshotInfo& snapshot : TRY(images_->snapshots().list())) {
    if (!snapshot.key.starts_with(kPrefix) || owned(snapshot.key.substr(kPrefix.size()))) continue;
    TRY(images_->snapshots().remove(snapshot.key));
    log::info("removed snapshot {}, which no workload owns", snapshot.key);
  }
  return {};
}

}  // namespace berth::engine
