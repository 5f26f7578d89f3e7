// What registries tell: of one image, and of what they have.
#include "api/docker/wire/registry.h"

#include "api/docker/filters.h"
#include "api/docker/handlers/handlers.h"
#include "api/docker/handlers/reply.h"

namespace berth::docker {
namespace {

namespace asio = boost::asio;

constexpr int kDefaultResults = 25;
constexpr int kMostResults = 100;

}  // namespace

asio::awaitable<Result<void>> distribution_inspect(Services& services, Request& request,
                                                   http::Exchange& exchange) {
  CO_TRY(const auto credentials,
         image::parse_registry_auth(exchange.head().field("X-Registry-Auth")));
  auto found = co_await services.engine.inspect_distribution(request.name, credentials);
  CO_TRY(const image::Distribution distribution, std::move(found));
  const OrderedJson answer = distribution_json(distribution, request.query.flag("manifest"));
  co_return co_await reply_json(exchange, 200, answer);
}

asio::awaitable<Result<void>> image_search(Services& services, Request& request,
                                           http::Exchange& exchange) {
  CO_TRY(const Filters filters, Filters::parse(request.query.get("filters")));
  CO_TRY(const SearchFilter filter, SearchFilter::create(filters));
  CO_TRY(const auto wanted, request.query.integer("limit"));
  const std::int64_t limit = wanted.value_or(0) == 0 ? kDefaultResults : *wanted;
  if (limit < 1 || limit > kMostResults)
    co_return fail(ErrorKind::kInvalid, "limit {} is outside the range of [1, {}]", limit,
                   kMostResults);
  const std::string term(request.query.get("term"));
  if (term.empty()) co_return fail(ErrorKind::kInvalid, "no term to search for was given");
  CO_TRY(const auto credentials,
         image::parse_registry_auth(exchange.head().field("X-Registry-Auth")));
  auto found = co_await services.engine.search_registry(term, static_cast<int>(limit), credentials);
  CO_TRY(const std::vector<image::SearchResult> results, std::move(found));
  const OrderedJson answer = search_json(results, filter);
  co_return co_await reply_json(exchange, 200, answer);
}

}  // namespace berth::docker
