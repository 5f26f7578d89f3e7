// Logs: what the log file holds, and, when followed, what is added to it until the workload has
// ended and its last line is out. The file is the holder's; this only reads it.
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include "api/docker/cancellable_task.h"
#include "api/docker/handlers/handlers.h"
#include "api/docker/handlers/stream_type.h"
#include "api/docker/log_text.h"

namespace berth::docker {
namespace {

namespace asio = boost::asio;

struct Format {
  bool tty = false;
  bool timestamps = false;
};

// Wakes the coroutine that writes when the file has changed, the workload or the request's time has
// ended, or the client has gone. Callbacks hold it weakly.
struct Watcher : std::enable_shared_from_this<Watcher> {
  Watcher(const asio::any_io_executor& loop, int fd) : wakeup(loop), changes(loop), until(loop) {
    boost::system::error_code ignored;  // without changes to wait for, the end is still told
    changes.assign(fd, ignored);
  }
  ~Watcher() {
    // The follower owns the descriptor.
    if (changes.is_open()) static_cast<void>(changes.release());
  }

  void await_change() {
    changes.async_wait(asio::posix::stream_descriptor::wait_read,
                       [weak = weak_from_this()](const boost::system::error_code& error) {
                         if (const auto self = weak.lock(); self && !error) self->wakeup.call();
                       });
  }
  void end_at(WallTime time) {
    until.expires_after(std::max(time - now(), std::chrono::nanoseconds(0)));
    until.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
      if (const auto self = weak.lock(); self && !error) self->end();
    });
  }
  void end() {
    ended = true;
    wakeup.call();
  }

  http::Wakeup wakeup;
  asio::posix::stream_descriptor changes;
  asio::steady_timer until;
  bool ended = false;  // no more will be written; what is there still has to go out
  bool gone = false;   // the client
};

// Everything that is in the file now, part by part: a log may be far larger than what is wanted of
// it, and other clients wait meanwhile.
asio::awaitable<Result<void>> send_present(http::Exchange& exchange, holder::LogFollower& log,
                                           Format format) {
  for (;;) {
    CO_TRY(const holder::LogPart part, log.read_more());
    const std::string text = log_text(part.records, format.tty, format.timestamps);
    auto written = co_await exchange.write(text);
    CO_TRY_VOID(std::move(written));
    if (part.at_end) co_return Result<void>();
    auto yielded = co_await exchange.connection().give_way();
    CO_TRY_VOID(std::move(yielded));
  }
}

asio::awaitable<Result<void>> follow(Services& services, const engine::WorkloadView& view,
                                     http::Exchange& exchange, holder::LogFollower& log,
                                     Format format, std::optional<WallTime> until) {
  const auto loop = co_await asio::this_coro::executor;
  const auto watcher = std::make_shared<Watcher>(loop, log.fd());
  const std::weak_ptr<Watcher> weak = watcher;
  const auto tell_end = [weak] {
    if (const auto self = weak.lock()) self->end();
  };
  CancellableTask<engine::ExitStatus> end(
      loop, services.engine.wait(view.id.str(), engine::WaitCondition::kNotRunning), tell_end);
  if (until) watcher->end_at(*until);
  exchange.connection().watch([weak] {
    const auto self = weak.lock();
    if (!self) return;
    self->gone = true;
    self->end();
  });
  Result<void> sent;
  for (;;) {
    // Noted first: what was written before the end is then read below.
    const bool last = watcher->ended;
    if (watcher->gone) break;
    sent = co_await send_present(exchange, log, format);
    if (!sent.ok() || last || log.finished()) break;
    watcher->await_change();
    co_await watcher->wakeup.wait();
  }
  exchange.connection().unwatch();
  co_return sent;
}

}  // namespace

asio::awaitable<Result<void>> container_logs(Services& services, Request& request,
                                             http::Exchange& exchange) {
  CO_TRY(const LogRequest wanted, parse_log_request(request.query));
  CO_TRY(const engine::WorkloadView view, services.engine.inspect(request.name));
  if (view.log_path.empty()) {
    co_return fail(ErrorKind::kUnsupported,
                   "configured logging driver does not support reading: container {} logs "
                   "nothing (driver '{}')",
                   view.name, view.config.log.driver);
  }
  const std::string_view type = stream_type(view.config.tty, request.version);
  const Format format{.tty = view.config.tty, .timestamps = wanted.timestamps};
  auto opened = holder::LogFollower::open(view.log_path, wanted.query);
  if (!opened.ok() && opened.error().kind() != ErrorKind::kNotFound)
    co_return std::move(opened).error();
  auto begun = co_await exchange.begin_stream(200, type);
  CO_TRY_VOID(std::move(begun));
  if (!opened.ok()) co_return co_await exchange.end_stream();  // it has never run

  holder::LogFollower log = std::move(opened).value();
  const bool running = view.status.state == engine::WorkloadState::kRunning;
  Result<void> sent;
  if (wanted.follow && running) {
    sent = co_await follow(services, view, exchange, log, format, wanted.query.until);
  } else {
    sent = co_await send_present(exchange, log, format);
  }
  CO_TRY_VOID(std::move(sent));
  co_return co_await exchange.end_stream();
}

}  // namespace berth::docker
