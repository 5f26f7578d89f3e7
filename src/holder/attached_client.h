// AttachedClient: one client's connected stream socket and what is on its way to it. It knows
// framing and its own backlog; who reads and when is Streams' business (streams.h).
// Owns the socket, whose flags it leaves alone: the engine may share them. Never waits.
// Not thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/unique_fd.h"
#include "holder/detach_keys.h"
#include "holder/framing.h"

namespace berth::holder {

/// A client that is this far behind holds the workload's output back, as Docker's does at 1 MB: no
/// output is lost and no memory grows. One that is gone holds nothing back.
inline constexpr std::size_t kMaxClientBacklog = 256U << 10;

class AttachedClient {
 public:
  struct Options {
    bool stdin_stream = false;
    bool stdout_stream = false;
    bool stderr_stream = false;
    bool framed = true;
    std::string detach_keys;  // bytes to look for in its input; empty: none
  };

  AttachedClient(UniqueFd socket, Options options);

  int fd() const { return socket_.get(); }
  bool wants(StreamKind stream) const;

  // ---- output

  /// Sends what goes at once and keeps the rest. Dropped if the client is gone.
  void send(StreamKind stream, std::string_view output);
  /// Sends on from the backlog.
  void flush();
  bool has_backlog() const { return sent_ < backlog_.size(); }
  bool is_full() const { return backlog_.size() - sent_ >= kMaxClientBacklog; }

  // ---- input

  /// Its input is still wanted: it has not ended, and nobody has ended it.
  bool input_open() const { return input_open_; }
  struct Input {
    std::string bytes;      // for the workload
    bool ended = false;     // the client has ended its side, or is gone
    bool detached = false;  // the detach keys have been typed
  };
  /// Takes what there is, at most `buffer`, which is scratch space.
  Input receive(std::span<char> buffer);

  // ---- the end

  /// The connection has broken: what was on its way to the client is dropped.
  void lose();
  /// No more output will come: once the backlog is gone the client is told so.
  void finish();
  bool is_finishing() const { return finishing_; }
  /// Nothing is left to be done: the client is gone, or has got everything and ended its own side.
  bool is_done() const;
  /// It cannot be sent anything any more.
  bool is_gone() const { return gone_; }

 private:
  void queue(std::string_view bytes) { backlog_ += bytes; }
  void shut_down_when_flushed();

  UniqueFd socket_;
  Options options_;
  std::optional<DetachMatcher> detach_;
  std::string backlog_;
  std::size_t sent_ = 0;  // of backlog_
  bool input_open_;
  bool finishing_ = false;
  bool shut_down_ = false;
  bool gone_ = false;
};

}  // namespace berth::holder
