#include "holder/holder.h"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "container/spec/spec.h"
#include "holder/oom.h"
#include "holder/records.h"
#include "sys/dir.h"
#include "sys/file.h"
#include "sys/memfd.h"
#include "sys/process.h"

namespace berth::holder {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

// After the end: how long a client that is behind may stand still, how long one that gives input is
// given to hang up, and how long it all may take.
constexpr seconds kBacklogPatience{10};
constexpr seconds kHangUpPatience{2};
constexpr seconds kFarewellLimit{60};
// Docker's for a workload of which nobody knows how it ended.
constexpr int kUnknownExitCode = 255;

/// What Docker's users know: 127 no such program, 126 one that may not be run, 128 anything else.
int start_failure_code(bool exec_failed, ErrorKind kind) {
  if (exec_failed && kind == ErrorKind::kNotFound) return 127;
  if (exec_failed && kind == ErrorKind::kPermission) return 126;
  return 128;
}

/// The kernel should kill anything else first: the holder has the exit status that nobody else has.
void protect_from_oom() {
  const UniqueFd file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  // Lowering it takes CAP_SYS_RESOURCE, which a nested engine may lack.
  (void)sys::write_all(file.get(), "-999");
}

}  // namespace

Result<std::unique_ptr<Holder>> Holder::open(const std::string& run_dir, UniqueFd spawner) {
  std::unique_ptr<Holder> holder(new Holder(TRY(sys::EventLoop::create()), run_dir));
  TRY(holder->control_.open(fmt::format("{}/{}", run_dir, kSocketName), std::move(spawner)));
  return holder;
}

Result<void> Holder::run() {
  while (state_ == State::kWaiting || state_ == State::kRunning) TRY(loop_.run_once());
  if (state_ == State::kFarewell) TRY(say_farewell());
  return {};
}

// ---- requests

Result<void> Holder::handle(EngineMessage request, std::vector<UniqueFd> fds) {
  return std::visit([&](auto& body) { return on_request(std::move(body), std::move(fds)); },
                    request);
}

Hello Holder::hello() {
  const bool running = state_ == State::kRunning;
  return {.running = running,
          .pid = running ? container_->pid() : 0,
          .started_at = started_at_,
          .dropped_log_records = streams_.dropped_log_records(),
          .clients = streams_.client_count()};
}

void Holder::on_spawner_gone() {
  if (state_ != State::kWaiting) return;
  state_ = State::kDone;
  control_.stop_listening();
}

Result<void> Holder::on_request(Start start, std::vector<UniqueFd> fds) {
  if (state_ != State::kWaiting)
    return fail(ErrorKind::kConflict, "workload {} has been started already", start.id);
  auto launched = launch(start, fds);
  if (launched.ok()) {
    state_ = State::kRunning;
    control_.broadcast(Started{.pid = container_->pid(), .started_at = started_at_});
    protect_from_oom();
    // What reading the spec and making the container took is not needed any more.
    ::malloc_trim(0);
    return {};
  }

  const Error& error = launched.error();
  const StartFailed failure{.exit_code = start_failure_code(exec_failed_, error.kind()),
                            .kind = error.kind(),
                            .message = error.message()};
  if (container_) {
    loop_.forget(container_->pidfd());
    if (const auto destroyed = container_->destroy(); !destroyed.ok())
      log::warning("{}", destroyed.error().message());
  }
  conclude({.exit_code = failure.exit_code, .finished_at = {}, .error = failure.message}, &failure);
  return {};
}

Result<void> Holder::on_request(Attach attach, std::vector<UniqueFd> fds) {
  if (fds.size() != 1) return fail(ErrorKind::kInvalid, "attach needs the client's socket");
  if (state_ != State::kWaiting) TRY(require_running());
  return streams_.attach(std::move(fds[0]), std::move(attach));
}

Result<void> Holder::on_request(Resize resize, std::vector<UniqueFd>) {
  // decode_engine_message() has refused what does not fit 16 bits.
  const sys::WindowSize size{.rows = static_cast<std::uint16_t>(resize.rows),
                             .columns = static_cast<std::uint16_t>(resize.columns)};
  if (state_ == State::kWaiting) {
    window_size_ = size;
    return {};
  }
  TRY(require_running());
  return streams_.resize(size);
}

Result<void> Holder::on_request(Signal signal, std::vector<UniqueFd>) {
  TRY(require_running());
  return container_->signal(signal.number, signal.all);
}

Result<void> Holder::on_request(CloseStdin, std::vector<UniqueFd>) {
  TRY(require_running());
  streams_.close_stdin();
  return {};
}

Result<void> Holder::on_request(Status, std::vector<UniqueFd>) {
  return {};  // Control answers it
}

Result<void> Holder::require_running() const {
  if (state_ == State::kRunning) return {};
  return fail(ErrorKind::kConflict, "the workload is not running");
}

// ---- the start

Result<void> Holder::launch(const Start& start, const std::vector<UniqueFd>& fds) {
  if (fds.size() != (start.has_network_namespace ? 2U : 1U))
    return fail(ErrorKind::kInvalid, "start came with {} descriptors", fds.size());
  exit_record_ = TRY(ExitRecord::reserve(TRY(sys::open_dir(start.state_dir))));
  TRY(create_container(start, fds));
  TRY(record_start());
  TRY(streams_.begin(container_->take_console()));
  if (start.tty && !window_size_ && start.rows != 0)
    window_size_ = {.rows = start.rows, .columns = start.columns};
  if (start.tty && window_size_) TRY(streams_.resize(*window_size_));
  TRY(loop_.watch(container_->pidfd(), 0, [this](std::uint32_t) { on_workload_ended(); }));

  exec_failed_ = true;
  TRY(container_->start());
  exec_failed_ = false;
  return loop_.set_events(container_->pidfd(), EPOLLIN);
}

Result<void> Holder::create_container(const Start& start, const std::vector<UniqueFd>& fds) {
  container::Spec spec = TRY(container::parse_spec(
      TRY(sys::read_memfd(fds[0].get(), container::kMaxSpecBytes).context("the spec"))));
  spec.process.terminal = start.tty;

  std::optional<LogWriter> log;
  if (!start.log_path.empty()) log = TRY(LogWriter::open(start.log_path));
  const Streams::WorkloadEnds ends = TRY(streams_.prepare(
      {.open_stdin = start.open_stdin, .stdin_once = start.stdin_once, .tty = start.tty},
      std::move(log)));
  container_ = TRY(container::Container::create(
      spec, {.id = start.id,
             .bundle = start.bundle,
             .rootfs_mounts = start.rootfs_mounts,
             .network_namespace = start.has_network_namespace ? fds[1].get() : -1,
             .stdio = {ends.stdin_read.get(), ends.stdout_write.get(), ends.stderr_write.get()}}));
  return {};
}

// Before the workload runs: whatever runs is on record, should this process be killed.
Result<void> Holder::record_start() {
  started_at_ = format_rfc3339(now());
  const pid_t pid = container_->pid();
  return write_started_record(run_dir_, {.pid = pid,
                                         .pid_start = TRY(process_start_time(pid)),
                                         .holder_pid = ::getpid(),
                                         .holder_start = TRY(process_start_time(::getpid())),
                                         .started_at = started_at_,
                                         .cgroups = container_->cgroup_paths()})
      .context("started record");
}

// ---- the end

void Holder::on_workload_ended() {
  Exited exited{.finished_at = {}, .error = {}};
  const auto status = sys::wait_process(container_->pidfd());
  if (status.ok()) {
    exited.exit_code = status->shell_code();
  } else {
    exited.exit_code = kUnknownExitCode;
    exited.error = status.error().message();
  }
  exited.oom_killed = was_oom_killed(container_->cgroup_paths());
  loop_.forget(container_->pidfd());
  if (const auto destroyed = container_->destroy(); !destroyed.ok())
    exited.error = destroyed.error().message();
  streams_.drain();
  exited.dropped_log_records = streams_.dropped_log_records();
  conclude(std::move(exited), nullptr);
}

void Holder::conclude(Exited exited, const StartFailed* failure) {
  exited.finished_at = format_rfc3339(now());
  if (exit_record_) {
    // An engine that listens learns of the end all the same.
    if (const auto written = exit_record_->commit(exited); !written.ok())
      exited.error += (exited.error.empty() ? "" : "; ") + written.error().message();
  }
  state_ = State::kFarewell;
  if (failure != nullptr) {
    control_.broadcast(*failure);
  } else {
    control_.broadcast(exited);
  }
  control_.stop_listening();
  streams_.finish_clients();
}

Result<void> Holder::say_farewell() {
  const auto end = steady_clock::now() + kFarewellLimit;
  while (streams_.has_clients()) {
    const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
    const milliseconds patience = streams_.has_backlog() ? kBacklogPatience : kHangUpPatience;
    if (left <= milliseconds(0) || !TRY(loop_.run_once(std::min(left, patience)))) break;
  }
  return {};
}

}  // namespace berth::holder
