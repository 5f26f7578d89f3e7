// A pull: runs on the engine's threads while its progress streams to the client. A client that goes
// takes its pull along; what has arrived of the layers stays for the next.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <deque>
#include <optional>
#include <stop_token>

#include "api/docker/handlers/handlers.h"
#include "api/docker/wire/pull_progress.h"
#include "api/http/wakeup.h"
#include "image/reference/reference.h"

namespace berth::docker {
namespace {

namespace asio = boost::asio;

// How many lines may wait for a slow client before how far downloads are is left out.
constexpr std::size_t kMaxQueued = 256;

// What the pull and the client leave for the coroutine that writes. Event loop only.
struct Feed {
  explicit Feed(const asio::any_io_executor& loop) : wakeup(loop) {}

  void add(const image::PullProgress& progress) {
    const bool may_be_left_out = progress.step == image::PullProgress::Step::kDownloading;
    if (may_be_left_out && lines.size() >= kMaxQueued) return;
    lines.push_back(pull_line(progress));
    wakeup.call();
  }

  http::Wakeup wakeup;
  std::deque<std::string> lines;
  std::stop_source stop;
  std::optional<Result<image::PullResult>> result;
};

asio::awaitable<void> pull(engine::Engine& engine, std::string reference,
                           image::PullOptions options, std::shared_ptr<Feed> feed) {
  const auto loop = co_await asio::this_coro::executor;
  std::function<void(const image::PullProgress&)> progress =
      [feed, loop](const image::PullProgress& one) {
        asio::post(loop, [feed, one] { feed->add(one); });
      };
  auto pulled = co_await engine.pull_image(std::move(reference), std::move(options),
                                           std::move(progress), feed->stop.get_token());
  feed->result.emplace(std::move(pulled));
  feed->wakeup.call();
}

// The name that the two parameters make together: "tag" may be a digest.
Result<image::Reference> reference_of(const Query& query) {
  std::string name(query.get("fromImage"));
  if (const std::string_view tag = query.get("tag"); !tag.empty())
    name += (tag.find(':') == std::string_view::npos ? ":" : "@") + std::string(tag);
  return TRY(image::Reference::parse(name)).with_default_tag();
}

asio::awaitable<Result<void>> write_lines(http::Exchange& exchange, std::shared_ptr<Feed> feed) {
  for (;;) {
    while (!feed->lines.empty()) {
      const std::string line = std::move(feed->lines.front());
      feed->lines.pop_front();
      auto written = co_await exchange.write(line);
      CO_TRY_VOID(std::move(written));
    }
    if (feed->result) break;
    co_await feed->wakeup.wait();
  }
  const std::string last = feed->result->ok() ? pull_end_lines(**feed->result)
                                              : error_line(feed->result->error().message());
  auto written = co_await exchange.write(last);
  CO_TRY_VOID(std::move(written));
  co_return co_await exchange.end_stream();
}

asio::awaitable<Result<void>> stream(http::Exchange& exchange, const image::Reference& reference,
                                     std::shared_ptr<Feed> feed) {
  auto begun = co_await exchange.begin_stream(200, "application/json");
  CO_TRY_VOID(std::move(begun));
  feed->lines.push_front(pull_begin_line(
      reference.path(), reference.digest().empty() ? reference.tag() : reference.digest()));
  co_return co_await write_lines(exchange, feed);
}

}  // namespace

asio::awaitable<Result<void>> image_pull(Services& services, Request& request,
                                         http::Exchange& exchange) {
  CO_TRY(const image::Reference reference, reference_of(request.query));
  image::PullOptions options;
  options.platform = request.query.get("platform");
  CO_TRY(options.credentials, image::parse_registry_auth(exchange.head().field("X-Registry-Auth")));
  const auto loop = co_await asio::this_coro::executor;
  const auto feed = std::make_shared<Feed>(loop);
  asio::co_spawn(loop, pull(services.engine, reference.str(), std::move(options), feed),
                 asio::detached);
  exchange.connection().watch([weak = std::weak_ptr<Feed>(feed)] {
    if (const auto self = weak.lock()) self->stop.request_stop();
  });
  // What is wrong with the name, or with who asks, is an answer of its own, not a line of a stream.
  while (feed->lines.empty() && !feed->result) co_await feed->wakeup.wait();
  Result<void> answered;
  if (feed->result && !feed->result->ok() && feed->lines.empty())
    answered = feed->result->error();
  else
    answered = co_await stream(exchange, reference, feed);
  feed->stop.request_stop();  // if the client did not stay for the end
  while (!feed->result) co_await feed->wakeup.wait();
  exchange.connection().unwatch();
  co_return answered;
}

}  // namespace berth::docker
