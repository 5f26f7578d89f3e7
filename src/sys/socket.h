// Unix sockets that carry messages and descriptors: unix(7), cmsg(3). SOCK_SEQPACKET keeps message
// borders, so a message arrives whole or not at all. Every descriptor made or received is CLOEXEC.
// Errors leave the socket usable.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace berth::sys {

/// The kernel's own bound on descriptors in one message is 253 (SCM_MAX_FD); none of ours needs
/// more.
inline constexpr std::size_t kMaxMessageFds = 8;

struct Message {
  std::string bytes;
  std::vector<UniqueFd> fds;
};

/// A connected pair of SOCK_SEQPACKET sockets.
Result<std::pair<UniqueFd, UniqueFd>> seqpacket_pair();
/// A connected pair of SOCK_STREAM sockets.
Result<std::pair<UniqueFd, UniqueFd>> stream_pair();
/// A listening SOCK_SEQPACKET socket at `path` (mode 0600), replacing a file that is there. Paths
/// longer than sun_path (107 bytes) are reached through a descriptor of their directory.
Result<UniqueFd> listen_seqpacket(const std::string& path);
/// kNotFound: no such file; kConflict (ECONNREFUSED): nobody listens.
Result<UniqueFd> connect_seqpacket(const std::string& path);
/// Holds an abstract unix address: a name that one process of a network namespace can have, for as
/// long as the descriptor is open. kConflict: somebody has it.
Result<UniqueFd> claim_abstract_name(std::string_view name);
/// A non-blocking connection; nullopt if nobody waits.
Result<std::optional<UniqueFd>> accept_connection(int listener);

enum class Wait : bool { kNo, kIfSocketBlocks };

/// Sends one message; `fds` are borrowed. Never raises SIGPIPE. kExhausted (EAGAIN) if the peer's
/// queue is full, or if `bytes` is larger than the socket takes.
Result<void> send_message(int socket, std::string_view bytes, std::span<const int> fds = {},
                          Wait wait = Wait::kIfSocketBlocks);
/// Receives one message of at most `max_bytes`. An empty message with no fds is the end of the
/// stream. nullopt: there is none now. A longer message, or one with more than kMaxMessageFds, is
/// kInvalid and is dropped whole, its descriptors closed.
Result<std::optional<Message>> receive_message(int socket, std::size_t max_bytes,
                                               Wait wait = Wait::kIfSocketBlocks);
/// Waits until `fd` is readable (or has ended). False: `timeout` has passed.
Result<bool> wait_readable(int fd, std::chrono::milliseconds timeout);
Result<void> set_nonblocking(int fd, bool on);

/// Sends what the stream socket takes at once of `parts`, one after the other, and says how much;
/// 0: it is full. Never waits, never raises SIGPIPE, leaves the socket's own flags alone.
Result<std::size_t> send_some(int socket, std::span<const std::string_view> parts);
/// Receives what is there. nullopt: nothing now; 0: the peer has ended its side. Never waits.
Result<std::optional<std::size_t>> receive_some(int socket, std::span<char> into);

}  // namespace berth::sys
