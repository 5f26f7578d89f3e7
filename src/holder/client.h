// The engine's way to its holders: start one, or find one that an earlier engine started, and talk.
// Thread-safe: nothing is shared. protocol.h has the messages and their order.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "holder/protocol.h"

namespace berth::holder {

struct Spawned {
  UniqueFd socket;  // control channel, SOCK_SEQPACKET, blocking
  pid_t pid = 0;
};

/// Starts `program` in a session of its own: it does not end with the caller. The workload's id is
/// its argument, for ps(1); `run_dir` exists and gets its socket. It inherits no descriptor but its
/// end of the channel, its standard streams are /dev/null, and it says Hello first. It is the
/// caller's child: let SIGCHLD be ignored (SA_NOCLDWAIT), or reap it.
Result<Spawned> spawn_holder(const std::string& program, const std::string& id,
                             const std::string& run_dir);

/// Connects to the holder whose run directory is `run_dir`; the socket blocks. kNotFound or
/// kConflict: none listens there any more.
Result<UniqueFd> connect_holder(const std::string& run_dir);

/// Sends one message; `fds` are borrowed, in the order that the message's comment gives.
/// kExhausted: it is over kMaxMessage, or the socket does not block and the holder's queue is full.
Result<void> send(int socket, const EngineMessage& message, std::span<const int> fds = {},
                  std::uint64_t sequence = 0);

/// What the holder has said, without waiting; nullopt: nothing yet. kNotFound: it has closed the
/// connection. kInvalid: no message; the connection is still good.
Result<std::optional<HolderMessage>> try_receive(int socket);

/// The next message, for which it waits. kExhausted: none came within `timeout`.
Result<HolderMessage> receive(int socket, std::chrono::milliseconds timeout);

}  // namespace berth::holder
