// Signals as events: while a SignalQueue lives, the signals it was made for do not act on this
// process but wait on a descriptor. signalfd(2).
#pragma once

#include <csignal>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace berth::cli {

/// "INT" for SIGINT: the name the engine's kill takes. Empty for signals that are not handed on.
std::string_view signal_name(int signal);

/// What a workload is sent in place of this client: everything a user or a supervisor sends, but
/// what concerns this process alone (SIGCHLD, SIGPIPE, SIGURG, faults, terminal access).
std::span<const int> forwarded_signals();

class SignalQueue {
 public:
  /// Blocks `signals` in the calling thread, which must be the only one.
  static Result<SignalQueue> open(std::span<const int> signals);

  SignalQueue(SignalQueue&& other) noexcept;
  SignalQueue& operator=(SignalQueue&& other) = delete;
  ~SignalQueue();

  /// The next signal that has come, if any. Does not block.
  std::optional<int> take();

  /// Borrowed, for poll(2).
  int fd() const { return fd_.get(); }

 private:
  SignalQueue(UniqueFd fd, const sigset_t& before) : fd_(std::move(fd)), before_(before) {}

  UniqueFd fd_;
  sigset_t before_;
};

}  // namespace berth::cli
