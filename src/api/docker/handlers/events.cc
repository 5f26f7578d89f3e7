// Events: those the engine remembers since a moment, then each as it happens, until a moment or
// until the client goes.
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <deque>

#include "api/docker/handlers/handlers.h"
#include "api/docker/wire/event.h"
#include "api/http/wakeup.h"

namespace berth::docker {
namespace {

namespace asio = boost::asio;
using engine::Event;

// Events that wait for a slow client; one that falls behind further is cut off rather than fed from
// a growing heap.
constexpr std::size_t kMaxQueued = 1024;

struct Window {
  std::optional<WallTime> since;
  std::optional<WallTime> until;
  Filters filters;

  bool holds(const Event& event) const {
    return (!since || event.time >= *since) && (!until || event.time <= *until) &&
           event_matches(event, filters);
  }
};

Result<Window> parse_window(const Query& query) {
  Window window;
  window.since = TRY(parse_moment("since", query.get("since")));
  window.until = TRY(parse_moment("until", query.get("until")));
  window.filters = TRY(Filters::parse(query.get("filters")));
  TRY(check_event_filters(window.filters));
  return window;
}

// What the subscription, the clock and the client's hang-up leave for the coroutine that writes.
struct Feed {
  explicit Feed(const asio::any_io_executor& loop) : wakeup(loop), end(loop) {}

  void add(const Event& event) {
    if (queue.size() >= kMaxQueued) {
      overrun = true;
    } else {
      queue.push_back(dump_json(event_json(event)) + "\n");
    }
    wakeup.call();
  }

  http::Wakeup wakeup;
  asio::steady_timer end;
  std::deque<std::string> queue;
  bool overrun = false;
  bool over = false;  // `until` has come, or the client has gone
};

void arm_end(const std::shared_ptr<Feed>& feed, WallTime until) {
  feed->end.expires_after(std::max(until - now(), std::chrono::nanoseconds(0)));
  feed->end.async_wait([weak = std::weak_ptr<Feed>(feed)](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || !self) return;
    self->over = true;
    self->wakeup.call();
  });
}

asio::awaitable<Result<void>> write_feed(http::Exchange& exchange, std::shared_ptr<Feed> feed) {
  for (;;) {
    while (!feed->queue.empty()) {
      const std::string line = std::move(feed->queue.front());
      feed->queue.pop_front();
      auto written = co_await exchange.write(line);
      CO_TRY_VOID(std::move(written));
    }
    if (feed->overrun) co_return fail(ErrorKind::kExhausted, "a client does not read its events");
    if (feed->over) co_return co_await exchange.end_stream();
    co_await feed->wakeup.wait();
  }
}

}  // namespace

asio::awaitable<Result<void>> events(Services& services, Request& request,
                                     http::Exchange& exchange) {
  CO_TRY(const Window window, parse_window(request.query));
  const auto loop = co_await asio::this_coro::executor;
  const auto feed = std::make_shared<Feed>(loop);
  engine::EventBus& bus = services.engine.events();
  if (window.since) {
    for (const Event& event : bus.history()) {
      if (window.holds(event)) feed->add(event);
    }
  }
  const auto subscription = bus.subscribe([&window, feed](const Event& event) {
    if (window.holds(event)) feed->add(event);
  });
  if (window.until) arm_end(feed, *window.until);
  auto begun = co_await exchange.begin_stream(200, "application/json");
  CO_TRY_VOID(std::move(begun));
  exchange.connection().watch([weak = std::weak_ptr<Feed>(feed)] {
    const auto self = weak.lock();
    if (!self) return;
    self->over = true;
    self->wakeup.call();
  });
  auto result = co_await write_feed(exchange, feed);
  exchange.connection().unwatch();
  co_return result;
}

}  // namespace berth::docker
