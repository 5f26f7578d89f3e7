// Networks: what there is. Making and removing them is not there yet.
#include <algorithm>

#include "api/docker/filters.h"
#include "api/docker/handlers/handlers.h"
#include "api/docker/handlers/reply.h"
#include "api/docker/wire/network.h"

namespace berth::docker {
namespace {

namespace asio = boost::asio;

bool matches(const network::NetworkInfo& network, const Filters& filters, bool used) {
  const bool builtin = network.name == "bridge" || network.name == "host" || network.name == "none";
  const auto id_starts = [&](const std::string& id) { return network.id.str().starts_with(id); };
  return filters.matches_part("name", network.name) &&
         (!filters.has("id") || std::ranges::any_of(filters.get("id"), id_starts)) &&
         filters.matches("driver", network.driver) && filters.matches("scope", "local") &&
         filters.matches("type", builtin ? "builtin" : "custom") &&
         filters.matches_labels("label", {}) &&
         (!filters.has("dangling") ||
          filters.matches("dangling", used || builtin ? "false" : "true"));
}

}  // namespace

asio::awaitable<Result<void>> network_list(Services& services, Request& request,
                                           http::Exchange& exchange) {
  CO_TRY(const Filters filters, Filters::parse(request.query.get("filters")));
  CO_TRY_VOID(filters.accept_only({"name", "id", "driver", "scope", "type", "label", "dangling"}));
  const std::vector<engine::WorkloadView> views = services.engine.list(false);
  OrderedJson list = OrderedJson::array();
  for (const network::NetworkInfo& network : services.engine.networks()) {
    const bool used = std::ranges::any_of(views, [&](const engine::WorkloadView& view) {
      return view.status.endpoint && view.status.endpoint->network == network.id;
    });
    if (matches(network, filters, used)) list.push_back(network_json(network, nullptr));
  }
  co_return co_await reply_json(exchange, 200, list);
}

asio::awaitable<Result<void>> network_inspect(Services& services, Request& request,
                                              http::Exchange& exchange) {
  CO_TRY(const network::NetworkInfo network, services.engine.find_network(request.name));
  const std::vector<engine::WorkloadView> views = services.engine.list(false);
  const OrderedJson answer = network_json(network, &views);
  co_return co_await reply_json(exchange, 200, answer);
}

}  // namespace berth::docker
