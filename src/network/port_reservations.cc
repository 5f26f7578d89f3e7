#include "network/port_reservations.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "network/ipv4.h"

namespace berth::network {
namespace {

struct SocketKind {
  int type;
  int protocol;
};

SocketKind kind_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::kTcp:
      return {SOCK_STREAM, IPPROTO_TCP};
    case Protocol::kUdp:
      return {SOCK_DGRAM, IPPROTO_UDP};
    case Protocol::kSctp:
      return {SOCK_STREAM, IPPROTO_SCTP};
  }
  return {SOCK_STREAM, IPPROTO_TCP};
}

Result<Ipv4> host_address(const PortBinding& port) {
  if (port.host_ip.empty()) return Ipv4{};
  if (port.host_ip.find(':') != std::string::npos) {
    return fail(ErrorKind::kUnsupported, "cannot publish on [{}]: this network has IPv4 only",
                port.host_ip);
  }
  return parse_ipv4(port.host_ip);
}

/// A socket bound to the address, listening where the protocol listens, deaf.
Result<UniqueFd> hold(Protocol protocol, Ipv4 address, std::uint16_t port) {
  const SocketKind kind = kind_of(protocol);
  UniqueFd socket(::socket(AF_INET, kind.type | SOCK_CLOEXEC, kind.protocol));
  if (!socket.valid()) return fail_errno("open a {} socket", to_string(protocol));
  // Classic BPF `ret #0`: every packet is dropped (socket(7), SO_ATTACH_FILTER).
  sock_filter drop_all[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
  const sock_fprog program{1, drop_all};
  const int on = 1;
  // SO_REUSEADDR, for listeners only, steps over connections in TIME_WAIT that a server on this
  // port left. Two UDP sockets would share the port with it.
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0 ||
      (kind.type == SOCK_STREAM &&
       ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)) {
    return fail_errno("prepare a {} socket", to_string(protocol));
  }
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr = address.network_order();
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 ||
      (kind.type == SOCK_STREAM && ::listen(socket.get(), 0) != 0)) {
    return fail_errno("bind");
  }
  return socket;
}

Result<std::uint16_t> port_of(const UniqueFd& socket) {
  sockaddr_in at{};
  socklen_t size = sizeof at;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&at), &size) != 0)
    return fail_errno("read a socket's port");
  return ntohs(at.sin_port);
}

}  // namespace

std::string_view to_string(Protocol protocol) {
  switch (protocol) {
    case Protocol::kTcp:
      return "tcp";
    case Protocol::kUdp:
      return "udp";
    case Protocol::kSctp:
      return "sctp";
  }
  return "tcp";
}

Result<void> PortReservations::reserve_one(PortBinding& port) {
  const Ipv4 address = TRY(host_address(port));
  const bool ours = std::ranges::any_of(held_, [&](const auto& entry) {
    const auto& [protocol, at, number] = entry.first;
    return protocol == port.protocol && number == port.host_port && port.host_port != 0 &&
           (at == network::to_string(address) || at == "0.0.0.0" || address.value == 0);
  });
  if (ours) {
    return fail(ErrorKind::kConflict, "Bind for {}:{} failed: port is already allocated",
                network::to_string(address), port.host_port);
  }
  Result<UniqueFd> socket = hold(port.protocol, address, port.host_port);
  if (!socket.ok()) {
    if (socket.error().os_errno() == EADDRINUSE) {
      return Error(
          ErrorKind::kConflict,
          fmt::format("failed to bind host port {}:{}/{}: address already in use",
                      network::to_string(address), port.host_port, to_string(port.protocol)),
          EADDRINUSE);
    }
    return std::move(socket).error().context(fmt::format("failed to bind host port {}:{}/{}",
                                                         network::to_string(address),
                                                         port.host_port, to_string(port.protocol)));
  }
  port.host_port = TRY(port_of(*socket));
  held_.emplace(Key{port.protocol, network::to_string(address), port.host_port},
                std::move(*socket));
  return {};
}

Result<void> PortReservations::reserve(std::span<PortBinding> ports) {
  const std::unique_lock lock(mutex_);
  for (std::size_t i = 0; i < ports.size(); ++i) {
    Result<void> reserved = reserve_one(ports[i]);
    if (reserved.ok()) continue;
    for (const PortBinding& port : ports.first(i)) {
      held_.erase(Key{port.protocol, network::to_string(*host_address(port)), port.host_port});
    }
    return reserved;
  }
  return {};
}

void PortReservations::release(std::span<const PortBinding> ports) {
  const std::scoped_lock lock(mutex_);
  for (const PortBinding& port : ports) {
    const Result<Ipv4> address = host_address(port);
    if (address.ok()) held_.erase(Key{port.protocol, network::to_string(*address), port.host_port});
  }
}

}  // namespace berth::network
