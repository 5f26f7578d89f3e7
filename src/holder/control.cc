#include "holder/control.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "sys/socket.h"

namespace berth::holder {

Control::~Control() {
  stop_listening();
  for (const Connection& connection : connections_) loop_.forget(connection.socket.get());
}

Result<void> Control::open(const std::string& socket_path, UniqueFd spawner) {
  listener_ = TRY(sys::listen_seqpacket(socket_path));
  socket_path_ = socket_path;
  TRY(sys::set_nonblocking(listener_.get(), true));
  TRY(loop_.watch(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept_all(); }));
  add(std::move(spawner), true);
  return {};
}

void Control::accept_all() {
  // What the first engine has asked for comes before anyone else is told how things are. It may
  // have been its last word, after which there is nobody to greet.
  const auto spawner = std::ranges::find_if(connections_, &Connection::is_spawner);
  if (spawner != connections_.end()) on_readable(spawner);
  while (listener_.valid()) {
    auto accepted = sys::accept_connection(listener_.get());
    if (!accepted.ok()) {
      log::warning("holder.sock: {}", accepted.error().message());
      return;
    }
    if (!*accepted) return;
    if (connections_.size() < kMaxConnections) add(std::move(**accepted), false);
  }
}

void Control::add(UniqueFd socket, bool is_spawner) {
  connections_.push_back({.socket = std::move(socket), .is_spawner = is_spawner});
  const auto connection = std::prev(connections_.end());
  const auto watched = loop_.watch(connection->socket.get(), EPOLLIN,
                                   [this, connection](std::uint32_t) { on_readable(connection); });
  if (!watched.ok()) {
    log::warning("{}", watched.error().message());
    connections_.erase(connection);
    return;
  }
  tell(*connection, handler_.hello());
}

void Control::on_readable(Connections::iterator connection) {
  receive_all(*connection);
  if (!connection->is_broken) return;
  const bool was_spawner = connection->is_spawner;
  loop_.forget(connection->socket.get());
  connections_.erase(connection);
  if (was_spawner) handler_.on_spawner_gone();
}

void Control::receive_all(Connection& connection) {
  while (!connection.is_broken && receive_one(connection)) {
  }
}

bool Control::receive_one(Connection& connection) {
  auto received = sys::receive_message(connection.socket.get(), kMaxMessage, sys::Wait::kNo);
  if (!received.ok()) {
    log::warning("{}", received.error().message());
    connection.is_broken = received.error().kind() != ErrorKind::kInvalid;
    return true;
  }
  if (!*received) return false;
  sys::Message& message = **received;
  if (message.bytes.empty() && message.fds.empty()) {
    connection.is_broken = true;
    return false;
  }
  auto request = decode_engine_message(message.bytes);
  if (!request.ok()) {
    log::warning("{}", request.error().message());
    return true;
  }
  const auto done = dispatch(connection, std::move(request->body), std::move(message.fds));
  if (!done.ok()) log::warning("{}", done.error().message());
  if (request->sequence == 0) return true;
  Reply reply{.sequence = request->sequence, .ok = done.ok(), .message = {}};
  if (!done.ok()) {
    reply.kind = done.error().kind();
    reply.message = done.error().message();
  }
  tell(connection, reply);
  return true;
}

Result<void> Control::dispatch(Connection& connection, EngineMessage request,
                               std::vector<UniqueFd> fds) {
  if (!std::holds_alternative<Status>(request))
    return handler_.handle(std::move(request), std::move(fds));
  tell(connection, handler_.hello());
  return {};
}

void Control::tell(Connection& connection, const HolderMessage& message) {
  if (connection.is_broken) return;
  // Not to wait for an engine that is stuck, whatever the socket's own flags are.
  const int socket = connection.socket.get();
  if (sys::send_message(socket, encode(message), {}, sys::Wait::kNo).ok()) return;
  connection.is_broken = true;
  ::shutdown(socket, SHUT_RDWR);  // polls readable now, and is dropped then
}

void Control::broadcast(const HolderMessage& message) {
  for (Connection& connection : connections_) tell(connection, message);
}

void Control::stop_listening() {
  if (!listener_.valid()) return;
  loop_.forget(listener_.get());
  listener_.reset();
  ::unlink(socket_path_.c_str());
}

}  // namespace berth::holder
