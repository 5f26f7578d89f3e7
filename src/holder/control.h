// Control: the holder's connections to engines: the one it was spawned with, and those made to
// holder.sock by engines that came later. It receives, decodes and answers; what a request does is
// the Handler's business. protocol.h has the conversation.
// Owns the sockets; borrows the event loop and the handler. Not thread-safe.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "holder/protocol.h"
#include "sys/event.h"

namespace berth::holder {

/// Engines that may be connected at once. There is one, or two while one replaces the other.
inline constexpr std::size_t kMaxConnections = 8;

class Control {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    /// Carries out a request; an error is what the engine is answered. `fds` came with it.
    virtual Result<void> handle(EngineMessage request, std::vector<UniqueFd> fds) = 0;
    /// What a new connection, or one that asks, is told.
    virtual Hello hello() = 0;
    /// The connection that the holder was spawned with has closed.
    virtual void on_spawner_gone() = 0;
  };

  Control(sys::EventLoop& loop, Handler& handler) : loop_(loop), handler_(handler) {}
  ~Control();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  /// Listens at `socket_path`, and only then says Hello to the engine behind `spawner`.
  Result<void> open(const std::string& socket_path, UniqueFd spawner);

  /// Tells every engine. One that does not take it is dropped: it can connect again and ask.
  void broadcast(const HolderMessage& message);

  /// Takes no more engines, and removes the socket's file: nothing is to be found here any more.
  /// Connections stay until the end.
  void stop_listening();

 private:
  struct Connection {
    UniqueFd socket;
    bool is_spawner = false;
    bool is_broken = false;  // to be dropped as soon as nobody is in the middle of using it
  };
  using Connections = std::list<Connection>;

  void accept_all();
  void add(UniqueFd socket, bool is_spawner);
  void on_readable(Connections::iterator connection);
  // Takes everything that has been sent.
  void receive_all(Connection& connection);
  // False: there is nothing more at the moment, or never again.
  bool receive_one(Connection& connection);
  Result<void> dispatch(Connection& connection, EngineMessage request, std::vector<UniqueFd> fds);
  void tell(Connection& connection, const HolderMessage& message);

  sys::EventLoop& loop_;
  Handler& handler_;
  std::string socket_path_;
  UniqueFd listener_;
  Connections connections_;
};

}  // namespace berth::holder
