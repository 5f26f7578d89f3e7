#include "sys/socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace berth::sys {
namespace {

constexpr int kBacklog = 16;
/// More parts than this in one send_some() are left for the next.
constexpr std::size_t kMaxParts = 8;

// The address of `path`; a long one as /proc/self/fd/<directory>/<name>, with `directory` keeping
// that valid.
struct Address {
  sockaddr_un un{};
  UniqueFd directory;
};

Result<Address> address_of(const std::string& path) {
  Address address;
  address.un.sun_family = AF_UNIX;
  std::string spelled = path;
  if (spelled.size() >= sizeof address.un.sun_path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos)
      return fail(ErrorKind::kInvalid, "socket path {} is too long", path);
    address.directory =
        UniqueFd(::open(path.substr(0, slash).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!address.directory.valid()) return fail_errno("open directory of socket {}", path);
    spelled = fmt::format("/proc/self/fd/{}/{}", address.directory.get(), path.substr(slash + 1));
    if (spelled.size() >= sizeof address.un.sun_path)
      return fail(ErrorKind::kInvalid, "socket name {} is too long", path);
  }
  std::memcpy(address.un.sun_path, spelled.c_str(), spelled.size() + 1);
  return address;
}

Result<UniqueFd> make_socket() {
  UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return fail_errno("socket(AF_UNIX, SOCK_SEQPACKET)");
  return socket;
}

void collect_fds(msghdr& header, std::vector<UniqueFd>& fds) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr;
       control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(control) + i * sizeof(int), sizeof fd);
      fds.emplace_back(fd);
    }
  }
}

}  // namespace

Result<std::pair<UniqueFd, UniqueFd>> seqpacket_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fail_errno("socketpair(SOCK_SEQPACKET)");
  return std::pair(UniqueFd(ends[0]), UniqueFd(ends[1]));
}

Result<std::pair<UniqueFd, UniqueFd>> stream_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fail_errno("socketpair(SOCK_STREAM)");
  return std::pair(UniqueFd(ends[0]), UniqueFd(ends[1]));
}

Result<UniqueFd> listen_seqpacket(const std::string& path) {
  const Address address = TRY(address_of(path));
  UniqueFd socket = TRY(make_socket());
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno("replace socket {}", path);
  // On Linux the mode of the socket's inode at bind decides what the file gets.
  if (::fchmod(socket.get(), 0600) != 0) return fail_errno("fchmod socket");
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address.un), sizeof address.un) != 0)
    return fail_errno("bind {}", path);
  if (::listen(socket.get(), kBacklog) != 0) return fail_errno("listen on {}", path);
  return socket;
}

Result<UniqueFd> connect_seqpacket(const std::string& path) {
  const Address address = TRY(address_of(path));
  UniqueFd socket = TRY(make_socket());
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address.un), sizeof address.un) ==
      0)
    return socket;
  const bool refused = errno == ECONNREFUSED;
  Error error = fail_errno("connect to {}", path);
  return refused ? std::move(error).with_kind(ErrorKind::kConflict) : std::move(error);
}

Result<UniqueFd> claim_abstract_name(std::string_view name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // A null byte first makes it abstract, and its length counts: unix(7).
  if (name.size() > sizeof address.sun_path - 1)
    return fail(ErrorKind::kInvalid, "abstract socket name {} is too long", name);
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  UniqueFd socket = TRY(make_socket());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0) return socket;
  const bool taken = errno == EADDRINUSE;
  Error error = fail_errno("claim the name {}", name);
  return taken ? std::move(error).with_kind(ErrorKind::kConflict) : std::move(error);
}

Result<std::optional<UniqueFd>> accept_connection(int listener) {
  UniqueFd connection(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (connection.valid()) return std::optional(std::move(connection));
  if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR) return std::optional<UniqueFd>();
  return fail_errno("accept");
}

Result<void> send_message(int socket, std::string_view bytes, std::span<const int> fds, Wait wait) {
  if (fds.size() > kMaxMessageFds)
    return fail(ErrorKind::kInvalid, "{} descriptors in one message, at most {}", fds.size(),
                kMaxMessageFds);
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMaxMessageFds)> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!fds.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(rights), fds.data(), fds.size_bytes());
  }
  const int flags = MSG_NOSIGNAL | (wait == Wait::kNo ? MSG_DONTWAIT : 0);
  for (;;) {
    if (::sendmsg(socket, &header, flags) >= 0) return {};
    if (errno == EINTR) continue;
    const bool full = errno == EAGAIN || errno == EMSGSIZE;
    Error error = fail_errno("send a message of {} bytes", bytes.size());
    return full ? std::move(error).with_kind(ErrorKind::kExhausted) : std::move(error);
  }
}

Result<std::optional<Message>> receive_message(int socket, std::size_t max_bytes, Wait wait) {
  Message message;
  message.bytes.resize(max_bytes);
  iovec part{message.bytes.data(), message.bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMaxMessageFds)> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const int flags = MSG_CMSG_CLOEXEC | (wait == Wait::kNo ? MSG_DONTWAIT : 0);
  ssize_t length = -1;
  do {
    length = ::recvmsg(socket, &header, flags);
  } while (length < 0 && errno == EINTR);
  if (length < 0) {
    if (errno == EAGAIN) return std::optional<Message>();
    if (errno == ECONNRESET)
      length = 0;  // the peer died with messages of ours unread: its end all the same
    if (length < 0) return fail_errno("receive a message");
  }
  collect_fds(header, message.fds);
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
    return fail(ErrorKind::kInvalid,
                "a message is longer than {} bytes or carries too many descriptors", max_bytes);
  message.bytes.resize(static_cast<std::size_t>(length));
  return std::optional(std::move(message));
}

Result<bool> wait_readable(int fd, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd entry{fd, POLLIN, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (ready > 0) return true;
    if (ready == 0) return false;
    if (errno != EINTR) return fail_errno("poll");
  }
}

Result<void> set_nonblocking(int fd, bool on) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0) return fail_errno("fcntl(F_GETFL)");
  if (::fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) != 0)
    return fail_errno("fcntl(F_SETFL)");
  return {};
}

Result<std::size_t> send_some(int socket, std::span<const std::string_view> parts) {
  std::array<iovec, kMaxParts> vectors{};
  const std::size_t count = std::min(parts.size(), vectors.size());
  for (std::size_t i = 0; i < count; ++i)
    vectors[i] = {const_cast<char*>(parts[i].data()), parts[i].size()};
  msghdr header{};
  header.msg_iov = vectors.data();
  header.msg_iovlen = count;
  for (;;) {
    const ssize_t sent = ::sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno == EAGAIN) return std::size_t{0};
    if (errno != EINTR) return fail_errno("send to a client");
  }
}

Result<std::optional<std::size_t>> receive_some(int socket, std::span<char> into) {
  for (;;) {
    const ssize_t received = ::recv(socket, into.data(), into.size(), MSG_DONTWAIT);
    if (received >= 0) return std::optional(static_cast<std::size_t>(received));
    if (errno == EAGAIN) return std::optional<std::size_t>();
    if (errno != EINTR) return fail_errno("receive from a client");
  }
}

}  // namespace berth::sys
