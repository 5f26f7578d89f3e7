// What the daemon says about itself.
#include "api/docker/wire/system.h"

#include "api/docker/handlers/handlers.h"
#include "api/docker/handlers/reply.h"
#include "api/docker/host_facts.h"
#include "api/docker/wire/disk_usage.h"
#include "api/docker/wire/image_check.h"
#include "base/json.h"

namespace berth::docker {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kMaxAuthBytes = 64U << 10;

}  // namespace

asio::awaitable<Result<void>> ping(Services&, Request&, http::Exchange& exchange) {
  exchange.add_field("Cache-Control", "no-cache, no-store, must-revalidate");
  exchange.add_field("Pragma", "no-cache");
  exchange.add_field("Swarm", "inactive");
  co_return co_await exchange.reply(200, "text/plain; charset=utf-8", "OK");
}

asio::awaitable<Result<void>> version(Services& services, Request&, http::Exchange& exchange) {
  const std::string body = version_json(read_host_facts(), services.product_version);
  co_return co_await exchange.reply(200, "application/json", body);
}

asio::awaitable<Result<void>> info(Services& services, Request&, http::Exchange& exchange) {
  const std::string body =
      info_json(read_host_facts(), services.engine.info(), services.product_version);
  co_return co_await exchange.reply(200, "application/json", body);
}

asio::awaitable<Result<void>> auth(Services& services, Request&, http::Exchange& exchange) {
  auto text = co_await exchange.body().read_all(kMaxAuthBytes);
  CO_TRY(const std::string body, std::move(text));
  CO_TRY(const Json wanted, parse_json(body));
  CO_TRY(const std::string server, get_string(wanted, "serveraddress"));
  image::Credentials credentials;
  CO_TRY(credentials.username, get_string(wanted, "username"));
  CO_TRY(credentials.password, get_string(wanted, "password"));
  CO_TRY(credentials.identity_token, get_string(wanted, "identitytoken"));
  auto let_in = co_await services.engine.log_in(server, std::move(credentials));
  CO_TRY_VOID(std::move(let_in));
  const OrderedJson answer = {{"Status", "Login Succeeded"}, {"IdentityToken", ""}};
  co_return co_await reply_json(exchange, 200, answer);
}

asio::awaitable<Result<void>> disk_usage(Services& services, Request& request,
                                         http::Exchange& exchange) {
  CO_TRY(const DiskUsageParts parts, parse_disk_usage_parts(request.query.all("type")));
  auto measured = co_await services.engine.disk_usage();
  CO_TRY(const engine::DiskUsage usage, std::move(measured));
  const OrderedJson answer = disk_usage_json(usage, parts, request.version);
  co_return co_await reply_json(exchange, 200, answer);
}

asio::awaitable<Result<void>> image_check(Services& services, Request& request,
                                          http::Exchange& exchange) {
  const image::CheckOptions options{.quick = request.query.flag("quick"),
                                    .repair = request.query.flag("repair")};
  auto checked = co_await services.engine.check_images(options);
  CO_TRY(const image::CheckReport report, std::move(checked));
  const OrderedJson answer = image_check_json(report);
  co_return co_await reply_json(exchange, 200, answer);
}

}  // namespace berth::docker
