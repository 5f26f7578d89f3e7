#include "berthd/daemon.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "api/docker/api.h"
#include "api/http/server.h"
#include "base/log.h"
#include "berthd/process.h"
#include "network/controller.h"
#include "sys/dir.h"

namespace berth::daemon {
namespace {

namespace asio = boost::asio;

// For what clients wait for when the daemon is told to end. What takes longer, a stop with its
// grace period, goes on without us: the workload's holder has its orders.
constexpr std::chrono::seconds kFarewell{5};
constexpr std::chrono::seconds kInheritance{1};

// Sockets are taken first: of two daemons with one address the later one ends before it has touched
// anything.
Result<std::vector<http::Listener>> open_listeners(const std::vector<http::Address>& hosts) {
  std::vector<http::Listener> listeners;
  for (const http::Address& host : hosts) {
    if (host.kind == http::Address::Kind::kUnix)
      TRY(sys::make_dirs(host.path.substr(0, host.path.rfind('/'))));
    listeners.push_back(TRY(http::Listener::open(host)));
  }
  return listeners;
}

// A daemon that was killed while it spawned a holder leaves its sockets and locks to that child
// until the child executes, moments later. Only who keeps them longer is another daemon.
template <typename Open>
auto patiently(Open open) -> decltype(open()) {
  const auto end = std::chrono::steady_clock::now() + kInheritance;
  for (;;) {
    auto opened = open();
    if (opened.ok() || opened.error().kind() != ErrorKind::kConflict ||
        std::chrono::steady_clock::now() > end)
      return opened;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

class Daemon {
 public:
  Daemon() : signals_(loop_), farewell_(loop_) {}

  Result<void> open(Options options) {
    // First: whoever has been told that the daemon is ready may end it, and cleanly.
    boost::system::error_code ignored;
    signals_.add(SIGTERM, ignored);
    signals_.add(SIGINT, ignored);
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
      if (!error) end(signal);
    });
    listeners_ = TRY(patiently([&] { return open_listeners(options.hosts); }));
    if (!options.pid_file.empty()) pid_file_.emplace(TRY(PidFile::write(options.pid_file)));
    engine_ =
        TRY(patiently([&] { return engine::Engine::open(options.engine, loop_.get_executor()); }));
    api_ = std::make_unique<docker::Api>(*engine_, BERTH_VERSION);
    server_ = std::make_unique<http::Server>(
        loop_.get_executor(), [this](http::Exchange& exchange) { return api_->handle(exchange); });
    for (http::Listener& listener : listeners_) {
      log::info("answering on {}", listener.address().text());
      TRY(server_->serve(std::move(listener)));
    }
    listeners_.clear();
    return {};
  }

  void run() {
    loop_.run();
    engine_->close();
  }

 private:
  void end(int signal) {
    log::info("ending after signal {}; workloads live on", signal);
    server_->stop([this] { loop_.stop(); });
    farewell_.expires_after(kFarewell);
    farewell_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      log::info("not waiting any longer for {} requests", server_->clients());
      // Coroutines and threads that still work on the engine cannot be taken apart safely, and may
      // take long: the process ends with them, as it might at any moment. The sockets' files have
      // gone with server_->stop().
      pid_file_.reset();
      std::_Exit(EXIT_SUCCESS);
    });
  }

  // The loop goes last: the others hold its timers and descriptors.
  asio::io_context loop_{1};
  asio::signal_set signals_;
  asio::steady_timer farewell_;
  std::vector<http::Listener> listeners_;
  std::optional<PidFile> pid_file_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<docker::Api> api_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace

Result<void> run(Options options) {
  TRY(arrange_signals());
  TRY(raise_descriptor_limit());
  if (options.engine.holder_path.empty()) options.engine.holder_path = TRY(find_holder());
  Daemon daemon;
  TRY(daemon.open(std::move(options)));
  // A supervisor that does not listen is no reason to end.
  if (const auto told = notify_ready(); !told.ok()) log::warning("{}", told.error().message());
  release_unused_memory();
  daemon.run();
  return {};
}

Result<void> teardown(const Options& options) {
  return network::Controller::remove_from_host(options.engine.bridge, options.engine.bridge);
}

}  // namespace berth::daemon
