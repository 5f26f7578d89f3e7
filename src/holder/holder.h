// Holder: one workload's parent. It waits for an engine's Start, runs the workload, keeps its
// streams, log and clients, and records its end. It needs no engine once Start has arrived.
//
//   waiting --Start--> running --init ends--> farewell --> done
//      |                                                   ^
//      '-- spawner gone, or the start fails ---------------'
//
// The end, in this order: init is reaped, the OOM counter is read, what is left of the container is
// destroyed, all output is taken and logged, the exit record is on disk, engines are told, clients
// get what is still on its way to them (farewell).
//
// Single-threaded; owns everything it makes. The process must survive SIGPIPE.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "container/runtime/container.h"
#include "holder/control.h"
#include "holder/exit_record.h"
#include "holder/streams.h"
#include "sys/event.h"
#include "sys/pty.h"

namespace berth::holder {

class Holder final : private Control::Handler {
 public:
  /// Listens in `run_dir` and greets the engine behind `spawner`.
  static Result<std::unique_ptr<Holder>> open(const std::string& run_dir, UniqueFd spawner);

  /// Returns when there is nothing left to hold. An error is one of the event loop's.
  Result<void> run();

 private:
  enum class State { kWaiting, kRunning, kFarewell, kDone };

  Holder(sys::EventLoop loop, std::string run_dir)
      : loop_(std::move(loop)), run_dir_(std::move(run_dir)) {}

  Result<void> handle(EngineMessage request, std::vector<UniqueFd> fds) override;
  Hello hello() override;
  void on_spawner_gone() override;

  Result<void> on_request(Start start, std::vector<UniqueFd> fds);
  Result<void> on_request(Attach attach, std::vector<UniqueFd> fds);
  Result<void> on_request(Resize resize, std::vector<UniqueFd> fds);
  Result<void> on_request(Signal signal, std::vector<UniqueFd> fds);
  Result<void> on_request(CloseStdin close, std::vector<UniqueFd> fds);
  Result<void> on_request(Status status, std::vector<UniqueFd> fds);

  Result<void> launch(const Start& start, const std::vector<UniqueFd>& fds);
  Result<void> create_container(const Start& start, const std::vector<UniqueFd>& fds);
  Result<void> record_start();
  Result<void> require_running() const;
  void on_workload_ended();
  // Writes the exit record, and then tells the engines: of the end, or of a start's failure.
  void conclude(Exited exited, const StartFailed* failure);
  Result<void> say_farewell();

  sys::EventLoop loop_;  // first: everything below is watched by it
  std::string run_dir_;
  State state_ = State::kWaiting;
  std::optional<ExitRecord> exit_record_;
  std::unique_ptr<container::Container> container_;
  bool exec_failed_ = false;  // the start got as far as the workload's own program
  std::string started_at_;
  std::optional<sys::WindowSize> window_size_;  // asked for before there was a terminal
  Streams streams_{loop_};
  Control control_{loop_, *this};
};

}  // namespace berth::holder
