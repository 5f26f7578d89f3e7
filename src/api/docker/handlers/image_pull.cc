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

std::string begin_line_of(const image::Reference& reference) {
  return pull_begin_line(reference.path(),
                         reference.digest().empty() ? reference.tag() : reference.digest());
}

asio::awaitable<Result<void>> pull_one(engine::Engine& engine, std::string reference,
                                       image::PullOptions options,
                                       std::shared_ptr<ProgressFeed> feed) {
  const auto loop = co_await asio::this_coro::executor;
  std::function<void(const image::PullProgress&)> progress =
      [feed, loop](const image::PullProgress& one) {
        asio::post(loop, [feed, one] {
          feed->add(pull_line(one), one.step == image::PullProgress::Step::kDownloading);
        });
      };
  auto pulled = co_await engine.pull_image(std::move(reference), std::move(options),
                                           std::move(progress), feed->stop_token());
  CO_TRY(const image::PullResult result, std::move(pulled));
  feed->add(pull_end_lines(result));
  co_return Result<void>();
}

// One after the other; the first's line has been told.
asio::awaitable<void> pull(engine::Engine& engine, std::vector<image::Reference> references,
                           image::PullOptions options, std::shared_ptr<ProgressFeed> feed) {
  Result<void> result;
  for (std::size_t i = 0; i < references.size() && result.ok(); ++i) {
    if (i > 0) feed->add(begin_line_of(references[i]));
    auto pulled = co_await pull_one(engine, references[i].str(), options, feed);
    result = std::move(pulled);
  }
  feed->end(std::move(result));
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

// The name that the two parameters make together: "tag" may be a digest. Without either, every tag
// is meant.
Result<image::Reference> reference_of(const Query& query) {
  std::string name(query.get("fromImage"));
  if (const std::string_view tag = query.get("tag"); !tag.empty())
    name += (tag.find(':') == std::string_view::npos ? ":" : "@") + std::string(tag);
  return image::Reference::parse(name);
}

asio::awaitable<Result<std::vector<image::Reference>>> with_each_tag(
    engine::Engine& engine, image::Reference repository, image::Credentials credentials) {
  auto listed = co_await engine.registry_tags(repository.str(), std::move(credentials));
  CO_TRY(const std::vector<std::string> tags, std::move(listed));
  std::vector<image::Reference> all;
  for (const std::string& tag : tags) {
    const std::string name = repository.repository() + ":" + tag;
    CO_TRY(image::Reference one, image::Reference::parse(name));
    all.push_back(std::move(one));
  }
  if (all.empty())
    co_return fail(ErrorKind::kNotFound, "repository {} has no tags",
                   repository.familiar_repository());
  co_return all;
}

}  // namespace

asio::awaitable<Result<void>> image_pull(Services& services, Request& request,
                                         http::Exchange& exchange) {
  CO_TRY(const image::Reference reference, reference_of(request.query));
  image::PullOptions options;
  options.platform = request.query.get("platform");
  CO_TRY(options.credentials, image::parse_registry_auth(exchange.head().field("X-Registry-Auth")));
  CO_TRY(options.others, image::parse_registry_config(exchange.head().field("X-Registry-Config")));
  std::vector<image::Reference> references = {reference};
  if (reference.tag().empty() && reference.digest().empty()) {
    auto listed = co_await with_each_tag(services.engine, reference, options.credentials);
    CO_TRY(references, std::move(listed));
  }
  const auto loop = co_await asio::this_coro::executor;
  const auto feed = std::make_shared<ProgressFeed>(loop);
  std::string first = begin_line_of(references.front());
  asio::co_spawn(loop, pull(services.engine, std::move(references), std::move(options), feed),
                 asio::detached);
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
  CO_TRY(options.others, image::parse_registry_config(exchange.head().field("X-Registry-Config")));
  const auto loop = co_await asio::this_coro::executor;
  const auto feed = std::make_shared<ProgressFeed>(loop);
  asio::co_spawn(loop, push(services.engine, reference.str(), std::move(options), feed),
                 asio::detached);
  std::string first = push_begin_line(reference.repository());
  co_return co_await stream_progress(exchange, feed, std::move(first));
}

}  // namespace berth::docker
