// The end of a workload: signals, stops, the holder's word that it is over, and what then has to be
// settled.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <csignal>

#include "base/log.h"
#include "engine/config_merge.h"
#include "engine/engine_impl.h"

namespace berth::engine {
namespace {

// How long a workload may take to die of SIGKILL before a caller is told that it did not: a process
// in uninterruptible sleep must not hold a request for ever.
constexpr std::chrono::seconds kKillPatience{30};
// Docker's default for --stop-timeout.
constexpr int kDefaultStopSeconds = 10;

Error not_running(const Workload& workload) {
  return fail(ErrorKind::kConflict, "container {} is not running", workload.view.id.str());
}

}  // namespace

Result<void> EngineImpl::signal(Workload& workload, int number) {
  if (!workload.holder) return not_running(workload);
  TRY(workload.holder->send(holder::Signal{.number = number, .all = false})
          .context("signal container " + workload.view.id.str()));
  // On cgroups v1 who stands still does not even die.
  if (number == SIGKILL) workload.frozen.reset();
  return {};
}

boost::asio::awaitable<void> EngineImpl::at_rest(Entry workload) {
  while (workload->in_transit()) co_await workload->changed.wait();
}

Task<> EngineImpl::kill(std::string reference, int number) {
  CO_TRY(const Entry workload, registry_.find(reference));
  co_await at_rest(workload);
  if (workload->view.status.state != WorkloadState::kRunning) {
    co_return fail(ErrorKind::kConflict, "Cannot kill container: {}: container {} is not running",
                   reference, workload->view.id.str());
  }
  CO_TRY_VOID(signal(*workload, number));
  publish(*workload, "kill", {{"signal", std::to_string(number)}});
  // Docker answers a SIGKILL only once the container is gone.
  if (number == SIGKILL && !co_await ended_within(workload, kKillPatience)) {
    co_return fail(ErrorKind::kInternal,
                   "container {} did not end within {} s of SIGKILL: a process of it may be "
                   "stuck in the kernel",
                   workload->view.id.str(), kKillPatience.count());
  }
  co_return Result<void>();
}

Task<bool> EngineImpl::stop(std::string reference, StopOptions options) {
  CO_TRY(const Entry workload, registry_.find(reference));
  co_await at_rest(workload);
  if (workload->view.status.state != WorkloadState::kRunning) co_return false;
  const WorkloadConfig& config = workload->view.config;
  const int own_signal =
      config.stop_signal.empty() ? SIGTERM : parse_signal(config.stop_signal).value_or(SIGTERM);
  const int number = options.signal.value_or(own_signal);
  const int seconds = options.timeout.value_or(config.stop_timeout.value_or(kDefaultStopSeconds));

  CO_TRY_VOID(signal(*workload, number));
  publish(*workload, "kill", {{"signal", std::to_string(number)}});
  const bool for_ever = seconds < 0;
  const auto patience =
      for_ever ? std::chrono::hours(24 * 365) : std::chrono::milliseconds(seconds * 1000LL);
  if (!co_await ended_within(workload, patience)) {
    // It may have ended by itself between the last look and this call: then there is nobody to
    // kill.
    if (workload->holder) CO_TRY_VOID(signal(*workload, SIGKILL));
    publish(*workload, "kill", {{"signal", std::to_string(SIGKILL)}});
    if (!co_await ended_within(workload, kKillPatience)) {
      co_return fail(ErrorKind::kInternal, "container {} did not end within {} s of SIGKILL",
                     workload->view.id.str(), kKillPatience.count());
    }
  }
  publish(*workload, "stop");
  co_return true;
}

Task<> EngineImpl::restart(std::string reference, StopOptions options) {
  CO_TRY(const Entry workload, registry_.find(reference));
  const std::string id = workload->view.id.str();
  workload->restarting = true;
  auto stopped = co_await stop(id, options);
  co_await at_rest(workload);
  workload->restarting = false;
  CO_TRY_VOID(std::move(stopped));
  auto started = co_await start(id);
  CO_TRY_VOID(std::move(started));
  publish(*workload, "restart");
  co_return Result<void>();
}

Task<ExitStatus> EngineImpl::wait(std::string reference, WaitCondition condition) {
  CO_TRY(const Entry workload, registry_.find(reference));
  const std::uint64_t exits = workload->exits;
  const auto over = [&] {
    if (workload->removed) return true;
    const WorkloadState state = workload->view.status.state;
    switch (condition) {
      case WaitCondition::kNotRunning:
        return state != WorkloadState::kRunning && state != WorkloadState::kStarting;
      case WaitCondition::kNextExit:
        return workload->exits != exits;
      case WaitCondition::kRemoved:
        return !workload->removal_failure.empty();
    }
    return false;
  };
  while (!over()) {
    co_await workload->changed.wait();
    const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != boost::asio::cancellation_type::none)
      co_return fail(ErrorKind::kInternal, "wait for {} was cancelled", reference);
  }
  // Why a start failed was its caller's to hear; the wait itself has not failed.
  co_return ExitStatus{
      .code = workload->view.status.exit_code,
      .error = condition == WaitCondition::kRemoved ? workload->removal_failure : std::string()};
}

boost::asio::awaitable<bool> EngineImpl::ended_within(Entry workload,
                                                      std::chrono::milliseconds timeout) {
  const std::uint64_t exits = workload->exits;
  const auto ended = [&] {
    return workload->exits != exits || workload->view.status.state != WorkloadState::kRunning;
  };
  const Deadline deadline(loop_, timeout, [workload] { workload->changed.notify_all(); });
  while (!ended() && !deadline.passed()) co_await workload->changed.wait();
  co_return ended();
}

void EngineImpl::note_exit(const Entry& workload, const holder::Exited& exited) {
  WorkloadStatus& status = workload->view.status;
  if (status.state != WorkloadState::kRunning) return;
  status.state = WorkloadState::kExited;
  status.pid = 0;
  status.exit_code = exited.exit_code;
  status.oom_killed = exited.oom_killed;
  status.error = exited.error;
  status.finished_at = parse_rfc3339(exited.finished_at).value_or(now());
  workload->holder->close();
  workload->holder.reset();
  ++workload->exits;
  workload->settling = true;
  workload->changed.notify_all();
  if (status.oom_killed) publish(*workload, "oom");
  const auto ran = std::chrono::duration_cast<std::chrono::seconds>(
      *status.finished_at - status.started_at.value_or(*status.finished_at));
  publish(*workload, "die",
          {{"exitCode", std::to_string(status.exit_code)},
           {"execDuration", std::to_string(ran.count())}});
  boost::asio::co_spawn(loop_, settle(workload), boost::asio::detached);
}

boost::asio::awaitable<void> EngineImpl::settle(Entry workload) {
  const bool remove = workload->view.config.auto_remove && !workload->restarting;
  const std::optional<network::Endpoint> endpoint =
      std::exchange(workload->view.status.endpoint, std::nullopt);
  auto write_down = [this, remove, endpoint, view = workload->view]() -> Result<void> {
    if (endpoint) {
      if (auto freed = network_->disconnect(*endpoint); !freed.ok())
        log::warning("workload {}: {}", view.id.brief(), freed.error().message());
    }
    // The exit record that the holder wrote is the truth until then, and the run's directory says
    // that it is about this run. A workload about to be removed needs no more.
    if (remove) return {};
    TRY(records_->update(view));
    remove_run_dir(view.id);
    return {};
  };
  if (auto written = co_await offload(pool_, write_down); !written.ok())
    log::error("workload {}: record its end: {}", workload->view.id.brief(),
               written.error().message());
  workload->settling = false;
  workload->changed.notify_all();
  if (remove) co_await auto_remove(workload);
}

boost::asio::awaitable<void> EngineImpl::auto_remove(Entry workload) {
  while (workload->readers > 0) co_await workload->changed.wait();
  // Somebody may have started it, or begun to remove it, since.
  const WorkloadState state = workload->view.status.state;
  if (state != WorkloadState::kExited && state != WorkloadState::kCreated) co_return;
  auto removed = co_await remove_entry(workload, true);
  if (removed.ok()) co_return;
  log::error("workload {}: remove it as it asked: {}", workload->view.id.brief(),
             removed.error().message());
}

void EngineImpl::on_holder_closed(const Entry& workload) {
  if (workload->view.status.state == WorkloadState::kStarting && !workload->start_outcome) {
    workload->start_outcome = Result<void>(
        fail(ErrorKind::kInternal, "the holder of container {} ended before it started",
             workload->view.id.str()));
    workload->changed.notify_all();
    return;
  }
  if (workload->view.status.state != WorkloadState::kRunning) return;
  // The holder has died with its workload running, or between writing the exit record and telling
  // it.
  auto settle_lost = [this, workload]() -> boost::asio::awaitable<void> {
    auto find_out = [this, id = workload->view.id]() -> Result<holder::Exited> {
      return end_of_lost(id);
    };
    const auto lost = co_await offload(pool_, find_out);
    if (lost.ok()) {
      note_exit(workload, *lost);
      co_return;
    }
    log::error("workload {}: {}", workload->view.id.brief(), lost.error().message());
    note_exit(workload, holder::Exited{.exit_code = 255,
                                       .oom_killed = false,
                                       .finished_at = format_rfc3339(now()),
                                       .error = lost.error().message()});
  };
  boost::asio::co_spawn(loop_, settle_lost, boost::asio::detached);
}

}  // namespace berth::engine
