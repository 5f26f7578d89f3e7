// Foreground: waits for a container on behalf of a user: passes signals on to it, and its terminal
// through to ours.
#pragma once

#include <signal.h>
#include <termios.h>

#include <optional>

#include "base/result.h"
#include "base/unique_fd.h"

namespace berth::runtime {

class Foreground {
 public:
  Foreground() = default;
  ~Foreground() { restore_terminal(); }
  Foreground(const Foreground&) = delete;
  Foreground& operator=(const Foreground&) = delete;

  /// From here on signals are kept for wait(). Before any thread is started.
  Result<void> catch_signals();
  /// Until the process behind `pidfd` has ended; returns its code as a shell would. `console`: its
  /// terminal's master, or -1.
  Result<int> wait(int pidfd, int console);

 private:
  void pass_signal(int pidfd, int console) const;
  void set_raw();
  void restore_terminal();

  UniqueFd signals_;
  std::optional<termios> saved_;  // our terminal's settings before
};

}  // namespace berth::runtime
