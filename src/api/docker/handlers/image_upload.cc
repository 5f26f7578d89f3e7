// Images that come in with the request: an archive to load, or a root filesystem to import. The
// body streams from the socket to the image store; nothing is kept in between.
#include <boost/asio/this_coro.hpp>

#include "api/docker/body_pipe.h"
#include "api/docker/handlers/handlers.h"
#include "api/docker/import_changes.h"
#include "base/json.h"

namespace berth::docker {
namespace {

namespace asio = boost::asio;

std::string loaded_text(const std::vector<image::LoadResult>& images) {
  std::string lines;
  for (const image::LoadResult& image : images) {
    if (image.repo_tags.empty()) {
      lines += dump_json(OrderedJson{{"stream", fmt::format("Loaded image ID: {}\n", image.id)}}) +
               "\r\n";
    }
    for (const std::string& tag : image.repo_tags)
      lines += dump_json(OrderedJson{{"stream", fmt::format("Loaded image: {}\n", tag)}}) + "\r\n";
  }
  return lines;
}

Result<image::ImageService::ImportOptions> import_options(const Query& query) {
  image::ImageService::ImportOptions options;
  options.reference = query.get("repo");
  if (const std::string_view tag = query.get("tag"); !tag.empty()) {
    if (options.reference.empty())
      return fail(ErrorKind::kInvalid, "a tag was given, but no repo to tag");
    options.reference += fmt::format(":{}", tag);
  }
  options.message = query.get("message");
  options.config = TRY(parse_import_changes(query.all("changes")));
  return options;
}

}  // namespace

asio::awaitable<Result<void>> image_load(Services& services, Request&, http::Exchange& exchange) {
  const auto loop = co_await asio::this_coro::executor;
  BodyPipe archive(exchange, loop);
  archive.start();
  auto loaded = co_await services.engine.load_images(archive);
  co_await archive.finish();
  CO_TRY(const std::vector<image::LoadResult> images, std::move(loaded));
  const std::string body = loaded_text(images);
  co_return co_await exchange.reply(200, "application/json", body);
}

asio::awaitable<Result<void>> image_create(Services& services, Request& request,
                                           http::Exchange& exchange) {
  const std::string_view source = request.query.get("fromSrc");
  if (!request.query.get("fromImage").empty())
    co_return co_await image_pull(services, request, exchange);
  if (source.empty())
    co_return fail(ErrorKind::kInvalid, "fromImage or fromSrc must say which image");
  if (source != "-") {
    co_return fail(
        ErrorKind::kUnsupported,
        "importing from a URL is not supported yet: fetch '{}' yourself and import it from a file",
        source);
  }
  CO_TRY(auto options, import_options(request.query));
  const auto loop = co_await asio::this_coro::executor;
  BodyPipe tar(exchange, loop);
  tar.start();
  auto imported = co_await services.engine.import_image(tar, std::move(options));
  co_await tar.finish();
  CO_TRY(const std::string id, std::move(imported));
  const std::string body = dump_json(OrderedJson{{"status", id}}) + "\r\n";
  co_return co_await exchange.reply(200, "application/json", body);
}

}  // namespace berth::docker
