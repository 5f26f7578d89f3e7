#include "api/http/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>

#include "base/log.h"

namespace berth::http {
namespace {

namespace asio = boost::asio;

// Pause of an accept loop that has run out of descriptors or of room: nothing tells when there is
// some again.
constexpr std::chrono::milliseconds kAcceptPause{100};
// An unread body up to this size is read to its end so that the connection can be used again.
constexpr std::size_t kMaxDrain = 256U << 10;

// Throws away what is left of a request's body.
asio::awaitable<bool> drain(RequestReader& body) {
  std::string sink(16U << 10, '\0');
  for (std::size_t total = 0; !body.at_end();) {
    if (total > kMaxDrain) co_return false;
    const auto count = co_await body.read_body(sink);
    if (!count.ok()) co_return false;
    total += *count;
  }
  co_return true;
}

// A request that could not even be read gets an answer of its own.
int status_of_bad_head(const Error& error) {
  if (error.os_errno() == ETIMEDOUT) return 408;
  if (error.kind() == ErrorKind::kExhausted) return 431;
  return error.kind() == ErrorKind::kInvalid ? 400 : 0;
}

}  // namespace

struct Server::Door {
  Door(Listener opened, const asio::any_io_executor& loop)
      : listener(std::move(opened)), readiness(loop), pause(loop) {}
  ~Door() {
    // The listener owns the descriptor.
    if (readiness.is_open()) static_cast<void>(readiness.release());
  }
  void close() {
    closed = true;
    pause.cancel();
    if (readiness.is_open()) static_cast<void>(readiness.release());
  }

  Listener listener;
  asio::posix::stream_descriptor readiness;
  asio::steady_timer pause;
  bool closed = false;
};

Server::Server(asio::any_io_executor loop, Handler handler)
    : loop_(std::move(loop)), handler_(std::move(handler)) {}

Server::~Server() {
  for (const auto& door : doors_) door->close();
}

Result<void> Server::serve(Listener listener) {
  auto door = std::make_shared<Door>(std::move(listener), loop_);
  boost::system::error_code error;
  door->readiness.assign(door->listener.fd(), error);
  if (error) return Error::from_errno(error.value(), "watch a listening socket");
  doors_.push_back(door);
  asio::co_spawn(loop_, accept(std::move(door)), asio::detached);
  return {};
}

asio::awaitable<void> Server::accept(std::shared_ptr<Door> door) {
  while (!door->closed) {
    // Not by Asio's accept: a descriptor without CLOEXEC would be inherited by a holder started
    // meanwhile.
    const bool full = clients_.size() >= kMaxClients;
    UniqueFd socket(full ? -1 : ::accept4(door->listener.fd(), nullptr, nullptr, SOCK_CLOEXEC));
    const int failure = errno;
    if (socket.valid()) {
      admit(std::move(socket));
      continue;
    }
    boost::system::error_code ignored;
    if (!full && failure == EAGAIN) {
      co_await door->readiness.async_wait(asio::posix::stream_descriptor::wait_read,
                                          asio::redirect_error(asio::use_awaitable, ignored));
    } else if (full || failure == EMFILE || failure == ENFILE || failure == ENOBUFS ||
               failure == ENOMEM) {
      door->pause.expires_after(kAcceptPause);
      co_await door->pause.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    // Any other error is that of one client that gave up before it was let in (accept(2)).
  }
}

void Server::admit(UniqueFd socket) {
  const int on = 1;
  // Does nothing on a unix socket; answers are written in one piece, and waiting for more only
  // delays them.
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  auto connection = Connection::open(std::move(socket), loop_);
  if (!connection.ok()) return log::warning("{}", connection.error().message());
  clients_.insert(*connection);
  asio::co_spawn(loop_, converse(*connection),
                 [this, client = *connection](std::exception_ptr thrown) {
                   if (thrown) log::error("a client's conversation ended with an exception");
                   leave(client);
                 });
}

void Server::leave(const std::shared_ptr<Connection>& connection) {
  clients_.erase(connection);
  if (stopped_ && clients_.empty()) std::exchange(stopped_, nullptr)();
}

asio::awaitable<void> Server::converse(std::shared_ptr<Connection> connection) {
  for (bool again = true; again;) again = co_await handle_one(*connection);
  co_await connection->finish();
}

asio::awaitable<bool> Server::handle_one(Connection& connection) {
  RequestReader reader(connection);
  auto read = co_await reader.read_head();
  if (!read.ok()) {
    const int status = status_of_bad_head(read.error());
    if (status == 0) co_return false;
    Head head;
    head.keep_alive = false;
    Exchange refusal(connection, reader, std::move(head));
    std::string text = read.error().message() + "\n";
    // The client is cut off either way.
    static_cast<void>(co_await refusal.reply(status, "text/plain; charset=utf-8", text));
    co_return false;
  }
  if (!*read) co_return false;
  Exchange exchange(connection, reader, **std::move(read));
  co_await handler_(exchange);
  if (exchange.upgraded() || !exchange.reusable()) co_return false;
  co_return co_await drain(reader);
}

void Server::stop(std::function<void()> done) {
  for (const auto& door : doors_) door->close();
  doors_.clear();
  stopped_ = std::move(done);
  // A copy: a connection that ends leaves the set.
  const std::set<std::shared_ptr<Connection>> clients = clients_;
  for (const auto& client : clients) client->abort();
  if (clients.empty())
    asio::post(loop_, [this] {
      if (stopped_) std::exchange(stopped_, nullptr)();
    });
}

}  // namespace berth::http
