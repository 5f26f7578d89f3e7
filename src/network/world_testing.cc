#include "network/world_testing.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "network/ipv4.h"
#include "network/nft.h"
#include "sys/netlink_route.h"
#include "sys/netns.h"

namespace berth::network {
namespace {

using std::chrono::milliseconds;

// Aborts with the error's text: without its world no test makes sense.
#define NEEDS(...) MUST(__VA_ARGS__)

sockaddr_in socket_address(const std::string& address, std::uint16_t port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr = NEEDS(parse_ipv4(address)).network_order();
  return at;
}

const sockaddr* generic(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

int socket_type(Protocol protocol) {
  return protocol == Protocol::kUdp ? SOCK_DGRAM : SOCK_STREAM;
}

void give_address(sys::RouteSocket& route, const char* link, const char* address,
                  int prefix_length) {
  const sys::Link found = NEEDS(route.link(link));
  NEEDS(route.add_address(found, NEEDS(parse_ipv4(address)).network_order(), prefix_length));
  NEEDS(route.set_up(found));
}

bool wait_for(int fd, short events, milliseconds patience) {
  pollfd entry{fd, events, 0};
  return ::poll(&entry, 1, static_cast<int>(patience.count())) == 1;
}

}  // namespace

World::World() : home_(NEEDS(sys::current_network_namespace())) {
  host_ = NEEDS(sys::create_network_namespace());
  outside_ = NEEDS(sys::create_network_namespace());
  if (::setns(host_.get(), CLONE_NEWNET) != 0) std::abort();
  sys::RouteSocket host = NEEDS(sys::RouteSocket::open());
  sys::RouteSocket outside = NEEDS(sys::RouteSocket::open_in(outside_.get()));
  NEEDS(host.add_veth({.name = "uplink", .peer_name = "eth0", .peer_netns = outside_.get()}));
  NEEDS(host.set_up(NEEDS(host.link("lo"))));
  NEEDS(outside.set_up(NEEDS(outside.link("lo"))));
  give_address(outside, "eth0", kOutsideAddress, 24);
  give_address(host, "uplink", kHostAddress, 24);
  give_address(host, "lo", kSecondHostAddress, 32);
  NEEDS(host.wait_until_running("uplink"));
  NEEDS(outside.wait_until_running("eth0"));
  NEEDS(host.add_default_route(NEEDS(parse_ipv4(kOutsideAddress)).network_order()));
  char name[] = "/tmp/berth-world-XXXXXX";
  directory_ = ::mkdtemp(name);
}

World::~World() {
  if (::setns(home_.get(), CLONE_NEWNET) != 0) std::abort();
  std::filesystem::remove_all(directory_);
}

HostState World::state() const {
  HostState state;
  sys::RouteSocket host = NEEDS(sys::RouteSocket::open());
  std::map<int, std::string> names;
  for (const sys::Link& link : NEEDS(host.links())) {
    names[link.index] = link.name;
    state["link " + link.name] = fmt::format("{} group {}", link.kind, link.group);
  }
  for (const sys::InterfaceAddress& address : NEEDS(host.addresses())) {
    const std::string text = to_string(Ipv4::from_network_order(address.address));
    state["address " + text] = fmt::format("/{} {}", address.prefix_length, names[address.index]);
  }
  Nft nft;
  const Json tables = NEEDS(nft.list("list tables ip"));
  for (const Json& object : tables.at("nftables")) {
    const Json* table = find_member(object, "table");
    if (table == nullptr) continue;
    const std::string name = NEEDS(get_string(*table, "name"));
    state["table " + name] = NEEDS(nft.list("list table ip " + name)).dump();
  }
  return state;
}

bool World::wait_for_state(const HostState& wanted) const {
  const UniqueFd changes(
      ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  sockaddr_nl group{};
  group.nl_family = AF_NETLINK;
  group.nl_groups = RTMGRP_LINK;
  if (::bind(changes.get(), reinterpret_cast<const sockaddr*>(&group), sizeof group) != 0)
    return false;
  while (state() != wanted) {
    if (!wait_for(changes.get(), POLLIN, milliseconds(10000))) return false;
    std::array<char, 8192> ignored;
    while (::read(changes.get(), ignored.data(), ignored.size()) > 0) {
    }
  }
  return true;
}

Server::Server(int netns, Protocol protocol, std::uint16_t port, std::string greeting,
               const std::string& address)
    : greeting_(std::move(greeting)), stop_(::eventfd(0, EFD_CLOEXEC)) {
  NEEDS(sys::run_in_network_namespace(netns, [&]() -> Result<void> {
    socket_ = UniqueFd(::socket(AF_INET, socket_type(protocol) | SOCK_CLOEXEC, 0));
    const int on = 1;
    const sockaddr_in at = socket_address(address, port);
    if (::setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        ::bind(socket_.get(), generic(at), sizeof at) != 0 ||
        (protocol != Protocol::kUdp && ::listen(socket_.get(), 64) != 0)) {
      return fail_errno("serve port {}", port);
    }
    return {};
  }));
  thread_ = std::thread([this, protocol] { serve(protocol); });
}

Server::~Server() {
  const std::uint64_t one = 1;
  if (::write(stop_.get(), &one, sizeof one) != sizeof one) std::abort();
  thread_.join();
}

void Server::serve(Protocol protocol) const {
  for (;;) {
    pollfd entries[] = {{socket_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    if (::poll(entries, 2, -1) < 1 || entries[1].revents != 0) return;
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    const auto answer = [&] {
      return greeting_ + " " + to_string(Ipv4::from_network_order(peer.sin_addr));
    };
    if (protocol == Protocol::kUdp) {
      char request[64];
      (void)::recvfrom(socket_.get(), request, sizeof request, 0,
                       reinterpret_cast<sockaddr*>(&peer), &size);
      (void)::sendto(socket_.get(), answer().data(), answer().size(), 0, generic(peer), size);
      continue;
    }
    const UniqueFd client(
        ::accept4(socket_.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC));
    if (client.valid()) (void)::send(client.get(), answer().data(), answer().size(), MSG_NOSIGNAL);
  }
}

Result<std::string> ask(int netns, Protocol protocol, const std::string& address,
                        std::uint16_t port, std::uint16_t from_port, milliseconds patience) {
  return sys::run_in_network_namespace(netns, [&]() -> Result<std::string> {
    const UniqueFd socket(
        ::socket(AF_INET, socket_type(protocol) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const sockaddr_in from = socket_address("0.0.0.0", from_port);
    const sockaddr_in to = socket_address(address, port);
    if (from_port != 0 && ::bind(socket.get(), generic(from), sizeof from) != 0)
      return fail_errno("bind {}", from_port);
    if (::connect(socket.get(), generic(to), sizeof to) != 0 && errno != EINPROGRESS) {
      return fail_errno("connect to {}:{}", address, port);
    }
    if (protocol == Protocol::kUdp && ::send(socket.get(), "?", 1, 0) != 1) {
      return fail_errno("send to {}:{}", address, port);
    }
    std::string answer;
    std::array<char, 256> chunk;
    for (;;) {
      if (!wait_for(socket.get(), POLLIN, patience))
        return fail(ErrorKind::kNotFound, "{}:{} is silent", address, port);
      const ssize_t got = ::recv(socket.get(), chunk.data(), chunk.size(), 0);
      if (got < 0) return fail_errno("ask {}:{}", address, port);
      answer.append(chunk.data(), static_cast<std::size_t>(got));
      if (got == 0 || protocol == Protocol::kUdp) return answer;
    }
  });
}

bool reachable(int netns, const std::string& address, std::uint16_t port) {
  return ask(netns, Protocol::kTcp, address, port).ok();
}

bool unreachable(int netns, const std::string& address, std::uint16_t port) {
  return !ask(netns, Protocol::kTcp, address, port, 0, milliseconds(300)).ok();
}

}  // namespace berth::network
