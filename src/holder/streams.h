// Streams: a workload's standard streams, its log, and the clients attached to it.
//
//   workload's stdout, stderr  -->  log, every client that wants the stream
//   (or its terminal)          <--  every client with stdin
//
// - Clients may be attached before begin(): nothing is read from the workload until then, so none
//   misses anything.
// - Output is read only while every client that wants it has room (kMaxClientBacklog), so a slow
//   client slows the workload down, as with Docker, but costs neither output nor memory. The log is
//   written before clients are sent anything.
// - Input is read from clients only while the workload takes it.
// - The first client to end its input ends the workload's, with stdin_once and without a terminal;
//   otherwise it ends only its own attachment.
//
// Owns the descriptors; borrows the event loop. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "holder/attached_client.h"
#include "holder/log_writer.h"
#include "holder/protocol.h"
#include "sys/event.h"
#include "sys/pty.h"

namespace berth::holder {

/// Clients that one workload may have at a time; each costs at most its backlog.
inline constexpr std::size_t kMaxClients = 64;

class Streams {
 public:
  struct Options {
    bool open_stdin = false;
    bool stdin_once = false;
    bool tty = false;
  };
  /// The workload's ends, all but unused with a terminal.
  struct WorkloadEnds {
    UniqueFd stdin_read;  // invalid: no input
    UniqueFd stdout_write;
    UniqueFd stderr_write;
  };

  explicit Streams(sys::EventLoop& loop) : loop_(loop) {}
  ~Streams();
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  /// Makes the pipes. Call once, before begin(). Clients attached so far stay.
  Result<WorkloadEnds> prepare(Options options, std::optional<LogWriter> log);
  /// Starts to read; `console` is the terminal's master, if there is one.
  Result<void> begin(UniqueFd console);

  /// Takes over a client. kInvalid: bad detach keys; kExhausted: kMaxClients. The client's socket
  /// is closed then.
  Result<void> attach(UniqueFd socket, Attach request);
  /// Ends the workload's input once what clients have sent so far is through.
  void close_stdin();
  /// kInvalid: no terminal.
  Result<void> resize(sys::WindowSize size);

  /// The workload is dead: takes all it has written, holding nothing back, and completes the log.
  void drain();
  /// No more output: every client is told so as soon as it has got everything.
  void finish_clients();
  bool has_clients() const { return !clients_.empty(); }
  bool has_backlog() const;

  std::size_t client_count() const { return clients_.size() + waiting_.size(); }
  std::uint64_t dropped_log_records() const { return log_ ? log_->dropped_records() : 0; }

 private:
  struct Source {
    UniqueFd fd;
    StreamKind stream = StreamKind::kStdout;
  };
  struct Waiting {
    UniqueFd socket;
    Attach request;
    std::string detach_keys;
  };
  using Clients = std::list<AttachedClient>;

  void admit(Waiting waiting);
  // One read's worth of output to the log and the clients. False: nothing there, or the end.
  bool read_source(Source& source);
  void end_source(Source& source);
  void on_source(Source& source, std::uint32_t events);
  void on_client(Clients::iterator client, std::uint32_t events);
  void on_input_ended(AttachedClient& client);
  void feed_stdin(std::string_view input);
  void flush_stdin();
  void end_stdin();
  void drop_stdin();
  // Where input is written: the pipe, or the terminal's master; -1: nowhere any more.
  int stdin_fd() const;
  bool is_held_back(const Source& source) const;
  std::uint32_t wanted_of_source(const Source& source) const;
  std::uint32_t wanted_of_client(const AttachedClient& client) const;
  // Drops the clients that are done, and asks the loop for what is wanted now. Last in each
  // handler: it may destroy the client whose event is being handled.
  void update();

  sys::EventLoop& loop_;
  Options options_;
  std::optional<LogWriter> log_;
  bool begun_ = false;
  std::array<Source, 2> sources_;  // with a terminal: its master, and nothing
  UniqueFd stdin_;                 // write end of the pipe; none with a terminal
  bool stdin_closing_ = false;     // close once the backlog is through
  std::string stdin_backlog_;
  std::list<Waiting> waiting_;  // attached before prepare()
  Clients clients_;
};

}  // namespace berth::holder
