// Foreground: a workload whose streams, signals and exit code are this process's own: what run,
// start -a and attach have in common. The order is: ask to attach and to wait, start, move bytes
// until the stream ends, take the exit code.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "berth/client/client.h"
#include "berth/create/body.h"
#include "berth/stream/attachment.h"
#include "berth/verb/exit_status.h"

namespace berth::cli {

class Foreground {
 public:
  struct Options {
    std::string workload;
    AttachedStreams streams;
    bool tty = false;
    bool forward_signals = false;
    std::string detach_keys;
    std::string_view wait_condition;
  };

  /// Attaches and waits. `client` must stay alive. Signals are this object's from here on.
  static Result<Foreground> open(Client& client, Options options);

  /// Starts the workload; the streams are attached before it says a word. After an error, waits a
  /// while for the engine to remove it if it is to.
  Result<void> start(bool removes_itself);

  /// Moves bytes until the workload ends, the user detaches (exit code 0), or a signal that is not
  /// forwarded asks this process to end (128 and the signal's number).
  Result<int> run();

 private:
  Foreground(Client& client, Options options, HttpConnection stream, ExitStatus exit,
             std::optional<SignalQueue> signals)
      : client_(&client),
        options_(std::move(options)),
        stream_(std::move(stream)),
        exit_(std::move(exit)),
        signals_(std::move(signals)) {}

  Result<void> wait_for_answer(int fd);
  void resize();
  bool on_signal(int signal);

  Client* client_;
  Options options_;
  HttpConnection stream_;
  ExitStatus exit_;
  std::optional<SignalQueue> signals_;
  std::vector<int> early_;  // signals that came before the streams were moved
  int stopped_by_ = 0;
};

/// "the input device is not a TTY" where a terminal was asked for and standard input is none.
Result<void> check_terminal(bool input, bool tty);

}  // namespace berth::cli
