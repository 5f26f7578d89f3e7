#include "api/http/listener.h"

#include <arpa/inet.h>
#include <grp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::http {
namespace {

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un raw{};
  raw.sun_family = AF_UNIX;
  // parse_address() has checked the length; the last byte stays 0.
  std::memcpy(raw.sun_path, path.data(), std::min(path.size(), sizeof raw.sun_path - 1));
  return raw;
}

// Removes the file of a socket that nobody listens on any more.
Result<void> remove_stale(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};
    return fail_errno("look at {}", path);
  }
  if (!S_ISSOCK(status.st_mode))
    return fail(ErrorKind::kConflict, "cannot listen on {}: a file that is no socket is in the way",
                path);
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!probe.valid()) return fail_errno("make a socket");
  const sockaddr_un raw = unix_address(path);
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&raw), sizeof raw) == 0 ||
      errno == EAGAIN) {
    return fail(ErrorKind::kConflict,
                "cannot listen on {}: another daemon answers there; stop it, or give this one "
                "another --host",
                path);
  }
  if (errno != ECONNREFUSED) return fail_errno("ask who listens on {}", path);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return fail_errno("remove the stale socket {}", path);
  return {};
}

// The id of a group from /etc/group; -1 if there is none. getgrnam(3) would load NSS modules, half
// a megabyte that the daemon then keeps.
gid_t group_id(std::string_view name) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen("/etc/group", "re"), std::fclose);
  std::vector<char> buffer(64U << 10);  // a group of some thousand members
  group entry{};
  group* found = nullptr;
  while (file && ::fgetgrent_r(file.get(), &entry, buffer.data(), buffer.size(), &found) == 0)
    if (name == found->gr_name) return found->gr_gid;
  return static_cast<gid_t>(-1);
}

Result<void> listen_on(const UniqueFd& socket, const std::string& text) {
  if (::listen(socket.get(), SOMAXCONN) != 0) return fail_errno("listen on {}", text);
  return {};
}

}  // namespace

Result<Listener> Listener::open(Address address) {
  return address.kind == Address::Kind::kUnix ? open_unix(std::move(address))
                                              : open_tcp(std::move(address));
}

Result<Listener> Listener::open_unix(Address address) {
  const std::string path = address.path;
  TRY(remove_stale(path));
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return fail_errno("make a socket");
  // Linux gives the file the mode of the unbound socket, so that it is never open to more, not even
  // for a moment.
  if (::fchmod(socket.get(), 0660) != 0) return fail_errno("set the mode of {}", path);
  const sockaddr_un raw = unix_address(path);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&raw), sizeof raw) != 0)
    return fail_errno("bind {}", path);
  Listener listener(std::move(address), std::move(socket));
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return fail_errno("look at {}", path);
  listener.device_ = status.st_dev;
  listener.inode_ = status.st_ino;
  if (const gid_t group = group_id(kGroup); group != static_cast<gid_t>(-1)) {
    if (::lchown(path.c_str(), static_cast<uid_t>(-1), group) != 0)
      return fail_errno("give {} to group {}", path, kGroup);
  }
  TRY(listen_on(listener.socket_, path));
  return listener;
}

Result<Listener> Listener::open_tcp(Address address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  sockaddr_storage raw{};
  socklen_t size = 0;
  if (v6) {
    auto& in6 = reinterpret_cast<sockaddr_in6&>(raw);
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(address.port);
    ::inet_pton(AF_INET6, address.host.c_str(), &in6.sin6_addr);
    size = sizeof in6;
  } else {
    auto& in4 = reinterpret_cast<sockaddr_in&>(raw);
    in4.sin_family = AF_INET;
    in4.sin_port = htons(address.port);
    const std::string host = address.host == "localhost" ? "127.0.0.1" : address.host;
    ::inet_pton(AF_INET, host.c_str(), &in4.sin_addr);
    size = sizeof in4;
  }
  const std::string text = address.text();
  UniqueFd socket(::socket(raw.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return fail_errno("make a socket");
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&raw), size) != 0)
    return fail_errno("bind {}", text);
  TRY(listen_on(socket, text));
  socklen_t bound_size = sizeof raw;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&raw), &bound_size) != 0)
    return fail_errno("ask for the address of {}", text);
  address.port = ntohs(v6 ? reinterpret_cast<sockaddr_in6&>(raw).sin6_port
                          : reinterpret_cast<sockaddr_in&>(raw).sin_port);
  return Listener(std::move(address), std::move(socket));
}

Listener::~Listener() {
  if (!socket_.valid() || address_.kind != Address::Kind::kUnix || inode_ == 0) return;
  struct stat status{};
  const bool still_ours = ::lstat(address_.path.c_str(), &status) == 0 &&
                          status.st_dev == device_ && status.st_ino == inode_;
  if (still_ours) ::unlink(address_.path.c_str());
}

}  // namespace berth::http
