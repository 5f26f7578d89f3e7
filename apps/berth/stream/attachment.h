// Attachment: moves bytes between this process's standard streams and a workload's, over a
// connection that the engine has turned into a byte stream. One thread, one poll(2) loop: input,
// output, signals and window sizes are its events.
//
// Input has a buffer of its own and is never waited for, so a workload that talks before it listens
// cannot lock the two sides up. The end of standard input half-closes the connection; the end of
// the connection ends the loop.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "berth/client/http.h"
#include "berth/stream/detach_keys.h"
#include "berth/stream/signals.h"
#include "berth/stream/stdcopy.h"
#include "berth/stream/terminal.h"

namespace berth::cli {

enum class AttachmentEnd : std::uint8_t {
  kClosed,    // the engine closed the stream: the workload has ended, or let go of it
  kDetached,  // the user typed the detach keys
  kStopped,   // a signal asked this process to end
};

class Attachment {
 public:
  struct Options {
    bool tty = false;    // the stream is raw, the local terminal is made so, and keys can detach
    bool input = false;  // standard input is read
    std::string detach_keys;
  };

  /// Puts the terminal into raw mode if there is one to put.
  static Result<Attachment> open(HttpConnection connection, const Options& options);

  /// Runs until the stream ends or the user detaches. `on_signal` is called for every signal of
  /// `signals`, which may be null; it says whether to go on.
  Result<AttachmentEnd> run(SignalQueue* signals, const std::function<bool(int)>& on_signal);

 private:
  Attachment(HttpConnection::Stream stream, DetachKeys keys, RawTerminal terminal,
             const Options& options)
      : socket_(std::move(stream.socket)),
        received_(std::move(stream.received)),
        keys_(std::move(keys)),
        terminal_(std::move(terminal)),
        tty_(options.tty),
        reading_(options.input),
        half_closed_(!options.input) {}

  Result<void> write_out(std::span<const char> bytes);
  Result<bool> receive();
  Result<bool> read_input();
  Result<void> send_input();

  UniqueFd socket_;
  std::string received_;
  DetachKeys keys_;
  RawTerminal terminal_;
  bool tty_;
  bool reading_;        // standard input has not ended
  bool half_closed_;    // nothing more will be sent
  std::string unsent_;  // input on its way to the workload
  StdcopyDemultiplexer demultiplexer_;
};

/// Writes all of `bytes`, however long the descriptor takes.
Result<void> write_all(int fd, std::span<const char> bytes);

}  // namespace berth::cli
