// Many containers at a time: list and prune.
#include "api/docker/container_filter.h"
#include "api/docker/handlers/handlers.h"
#include "api/docker/handlers/reply.h"
#include "api/docker/wire/container_view.h"

namespace berth::docker {

namespace asio = boost::asio;

asio::awaitable<Result<void>> container_list(Services& services, Request& request,
                                             http::Exchange& exchange) {
  ListOptions options;
  options.all = request.query.flag("all");
  CO_TRY(const auto limit, request.query.integer("limit"));
  options.limit = limit.value_or(0);
  CO_TRY(options.filters, Filters::parse(request.query.get("filters")));
  CO_TRY(const auto views, select_containers(services.engine.list(true), options));
  const WallTime at = now();
  OrderedJson list = OrderedJson::array();
  for (const engine::WorkloadView& view : views) list.push_back(container_summary_json(view, at));
  co_return co_await reply_json(exchange, 200, list);
}

asio::awaitable<Result<void>> container_prune(Services& services, Request& request,
                                              http::Exchange& exchange) {
  CO_TRY(const Filters filters, Filters::parse(request.query.get("filters")));
  CO_TRY(const auto views, select_for_prune(services.engine.list(true), filters, now()));
  OrderedJson deleted;
  std::int64_t freed = 0;
  for (const engine::WorkloadView& view : views) {
    auto measured = co_await services.engine.written_bytes(view.id.str());
    // One that was started or removed meanwhile is none of ours any more.
    const auto removed = co_await services.engine.remove(view.id.str(), false, false);
    if (!removed.ok()) continue;
    deleted.push_back(view.id.str());
    freed += std::move(measured).value_or(0);
  }
  const OrderedJson answer = {{"ContainersDeleted", deleted}, {"SpaceReclaimed", freed}};
  co_return co_await reply_json(exchange, 200, answer);
}

}  // namespace berth::docker
