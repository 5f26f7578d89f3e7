// Commit: a container becomes an image.
#include "api/docker/handlers/handlers.h"
#include "api/docker/handlers/reply.h"
#include "api/docker/import_changes.h"
#include "api/docker/wire/container_config.h"
#include "engine/commit_config.h"

namespace berth::docker {
namespace {

namespace asio = boost::asio;

// As that of a create request, of which it is a part.
constexpr std::size_t kMaxBody = 4U << 20;

// The configuration in the body, or "null", which is the container's own; the changes; and what
// neither says, which is the container's again.
Result<image::ImageConfig> config_of(std::string_view body, const Query& query,
                                     const image::ImageConfig& container) {
  image::ImageConfig config = TRY(parse_commit_config(body)).value_or(container);
  config = TRY(apply_import_changes(query.all("changes"), std::move(config)));
  engine::fill_in_commit_config(config, container);
  return config;
}

Result<std::string> reference_of(const Query& query) {
  std::string reference(query.get("repo"));
  const std::string_view tag = query.get("tag");
  if (!tag.empty() && reference.empty())
    return fail(ErrorKind::kInvalid, "a tag was given, but no repo to tag");
  if (!tag.empty()) reference += fmt::format(":{}", tag);
  return reference;
}

}  // namespace

asio::awaitable<Result<void>> container_commit(Services& services, Request& request,
                                               http::Exchange& exchange) {
  auto read = co_await exchange.body().read_all(kMaxBody);
  CO_TRY(const std::string body, std::move(read));
  const std::string name(request.query.get("container"));
  CO_TRY(const engine::WorkloadView view, services.engine.inspect(name));
  engine::CommitOptions options;
  CO_TRY(options.reference, reference_of(request.query));
  options.author = request.query.get("author");
  options.comment = request.query.get("comment");
  options.pause = request.query.flag("pause", true);
  CO_TRY(options.config, config_of(body, request.query, engine::image_config_of(view.config)));
  auto made = co_await services.engine.commit(view.id.str(), std::move(options));
  CO_TRY(const std::string id, std::move(made));
  const OrderedJson answer = {{"Id", id}};
  co_return co_await reply_json(exchange, 201, answer);
}

}  // namespace berth::docker
