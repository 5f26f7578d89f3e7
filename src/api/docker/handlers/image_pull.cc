// Pull and push: run on the engine's threads while their progress streams to the client. What has
// arrived of a pull that was given up stays for the next.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "api/docker/handlers/handlers.h"
#include "api/docker/progress_feed.h"
#include "api/docker/wire/progress_lines.h"
#include "image/reference/reference.h"

namespace berth::docker {
namespace {

namespace asio = boost::asio;

asio::awaitable<void> pull(engine::Engine& engine, std::string reference,
                           image::PullOptions options, std::shared_ptr<ProgressFeed> feed) {
  const auto loop = co_await asio::this_coro::executor;
  std::function<void(const image::PullProgress&)> progress =
      [feed, loop](const image::PullProgress& one) {
        asio::post(loop, [feed, one] {
          feed->add(pull_line(one), one.step == image::PullProgress::Step::kDownloading);
        });
      };
  auto pulled = co_await engine.pull_image(std::move(reference), std::move(options),
                                           std::move(progress), feed->stop_token());
  if (pulled.ok()) feed->add(pull_end_lines(*pulled));
  feed->end(pulled.ok() ? Result<void>() : Result<void>(std::move(pulled).error()));
}

asio::awaitable<void> push(engine::Engine& engine, std::string reference,
                           image::PushOptions options, std::shared_ptr<ProgressFeed> feed) {
  const auto loop = co_await asio::this_coro::executor;
  std::function<void(const image::PushProgress&)> progress =
      [feed, loop](const image::PushProgress& one) {
        asio::post(loop, [feed, one] {
          feed->add(push_line(one), one.step == image::PushProgress::Step::kPushing);
        });
      };
  auto pushed = co_await engine.push_image(std::move(reference), std::move(options),
                                           std::move(progress), feed->stop_token());
  feed->end(std::move(pushed));
}

// The name that the two parameters make together: "tag" may be a digest.
Result<image::Reference> reference_of(const Query& query) {
  std::string name(query.get("fromImage"));
  if (const std::string_view tag = query.get("tag"); !tag.empty())
    name += (tag.find(':') == std::string_view::npos ? ":" : "@") + std::string(tag);
  return TRY(image::Reference::parse(name)).with_default_tag();
}

}  // namespace

asio::awaitable<Result<void>> image_pull(Services& services, Request& request,
                                         http::Exchange& exchange) {
  CO_TRY(const image::Reference reference, reference_of(request.query));
  image::PullOptions options;
  options.platform = request.query.get("platform");
  CO_TRY(options.credentials, image::parse_registry_auth(exchange.head().field("X-Registry-Auth")));
  const auto loop = co_await asio::this_coro::executor;
  const auto feed = std::make_shared<ProgressFeed>(loop);
  asio::co_spawn(loop, pull(services.engine, reference.str(), std::move(options), feed),
                 asio::detached);
  std::string first = pull_begin_line(
      reference.path(), reference.digest().empty() ? reference.tag() : reference.digest());
  co_return co_await stream_progress(exchange, feed, std::move(first));
}

asio::awaitable<Result<void>> image_push(Services& services, Request& request,
                                         http::Exchange& exchange) {
  std::string name(request.name);
  if (const std::string_view tag = request.query.get("tag"); !tag.empty())
    name += ":" + std::string(tag);
  CO_TRY(const image::Reference reference, image::Reference::parse(name));
  image::PushOptions options;
  CO_TRY(options.credentials, image::parse_registry_auth(exchange.head().field("X-Registry-Auth")));
  const auto loop = co_await asio::this_coro::executor;
  const auto feed = std::make_shared<ProgressFeed>(loop);
  asio::co_spawn(loop, push(services.engine, reference.str(), std::move(options), feed),
                 asio::detached);
  std::string first = push_begin_line(reference.repository());
  co_return co_await stream_progress(exchange, feed, std::move(first));
}

}  // namespace berth::docker
