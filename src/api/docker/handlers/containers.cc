// One container at a time: from its creation to its removal.
#include <limits>

#include "api/docker/handlers/handlers.h"
#include "api/docker/handlers/reply.h"
#include "api/docker/host_facts.h"
#include "api/docker/wire/container_config.h"
#include "api/docker/wire/container_view.h"
#include "engine/config_merge.h"

namespace berth::docker {
namespace {

namespace asio = boost::asio;

// A create request names at most thousands of things; an image's whole configuration fits many
// times.
constexpr std::size_t kMaxCreateBody = 4U << 20;
// A terminal with more rows or columns than that does not fit the kernel's struct winsize.
constexpr std::int64_t kMaxTerminal = 65535;

// The body is JSON or there is none; anything else was meant for another endpoint.
Result<void> check_json_type(const http::Head& head) {
  const std::string_view type = head.field("Content-Type");
  if (type.empty() || type.starts_with("application/json")) return {};
  return fail(ErrorKind::kInvalid,
              "unsupported Content-Type header ({}): must be 'application/json'", type);
}

// "linux/amd64", "linux", "amd64": images of this host's kind are the only ones that run.
Result<void> check_platform(std::string_view platform) {
  if (platform.empty()) return {};
  const std::string own = read_host_facts().architecture;
  const std::size_t slash = platform.find('/');
  const std::string_view first = platform.substr(0, slash);
  const std::string_view rest = slash == std::string_view::npos ? "" : platform.substr(slash + 1);
  const bool ours = slash == std::string_view::npos
                        ? first == "linux" || first == own
                        : first == "linux" && rest.substr(0, rest.find('/')) == own;
  if (ours) return {};
  return fail(ErrorKind::kUnsupported, "platform '{}' does not run here: this host is linux/{}",
              platform, own);
}

// Docker's `t`: seconds; absent: the container's own; -1: as long as it takes.
Result<std::optional<int>> stop_timeout(const Query& query) {
  const auto seconds = TRY(query.integer("t"));
  if (!seconds) return std::optional<int>();
  if (*seconds < -1 || *seconds > std::numeric_limits<int>::max())
    return fail(ErrorKind::kInvalid, "invalid t: {} seconds", *seconds);
  return std::optional<int>(static_cast<int>(*seconds));
}

Result<engine::StopOptions> stop_options(const Query& query) {
  engine::StopOptions options{.timeout = TRY(stop_timeout(query))};
  if (const std::string_view signal = query.get("signal"); !signal.empty())
    options.signal = TRY(engine::parse_signal(signal));
  return options;
}

Result<unsigned> dimension(const Query& query, std::string_view name) {
  const auto value = TRY(query.integer(name));
  if (!value || *value < 0 || *value > kMaxTerminal)
    return fail(ErrorKind::kInvalid, "invalid {}: '{}' is no size of a terminal", name,
                query.get(name));
  return static_cast<unsigned>(*value);
}

// What a start misses in a container that exists is the container's own program, or the right to
// run it: the client's mistake, and not that of having named no container.
Error start_error(Error error) {
  const bool about_program =
      error.kind() == ErrorKind::kNotFound || error.kind() == ErrorKind::kPermission;
  return about_program ? std::move(error).with_kind(ErrorKind::kInvalid) : error;
}

}  // namespace

asio::awaitable<Result<void>> container_create(Services& services, Request& request,
                                               http::Exchange& exchange) {
  CO_TRY_VOID(check_json_type(exchange.head()));
  CO_TRY_VOID(check_platform(request.query.get("platform")));
  auto read = co_await exchange.body().read_all(kMaxCreateBody);
  CO_TRY(const std::string body, std::move(read));
  CO_TRY(CreateRequest parsed, parse_create_request(body));
  std::string name(request.query.get("name"));
  if (name.starts_with('/')) name.erase(0, 1);
  auto made = co_await services.engine.create(std::move(name), std::move(parsed.config));
  CO_TRY(engine::CreateResult created, std::move(made));
  OrderedJson warnings = OrderedJson::array();
  for (std::string& warning : parsed.warnings) warnings.push_back(std::move(warning));
  for (std::string& warning : created.warnings) warnings.push_back(std::move(warning));
  const OrderedJson answer = {{"Id", created.id.str()}, {"Warnings", warnings}};
  co_return co_await reply_json(exchange, 201, answer);
}

asio::awaitable<Result<void>> container_inspect(Services& services, Request& request,
                                                http::Exchange& exchange) {
  CO_TRY(const engine::WorkloadView view, services.engine.inspect(request.name));
  const OrderedJson answer = container_inspect_json(view, services.engine.info().storage_driver);
  co_return co_await reply_json(exchange, 200, answer);
}

asio::awaitable<Result<void>> container_start(Services& services, Request& request,
                                              http::Exchange& exchange) {
  CO_TRY(const engine::WorkloadView view, services.engine.inspect(request.name));
  auto result = co_await services.engine.start(view.id.str());
  if (!result.ok()) co_return start_error(std::move(result).error());
  co_return co_await reply_empty(exchange, *result ? 204 : 304);
}

asio::awaitable<Result<void>> container_stop(Services& services, Request& request,
                                             http::Exchange& exchange) {
  CO_TRY(const engine::StopOptions options, stop_options(request.query));
  auto result = co_await services.engine.stop(request.name, options);
  CO_TRY(const bool stopped, std::move(result));
  co_return co_await reply_empty(exchange, stopped ? 204 : 304);
}

asio::awaitable<Result<void>> container_restart(Services& services, Request& request,
                                                http::Exchange& exchange) {
  CO_TRY(const engine::StopOptions options, stop_options(request.query));
  CO_TRY(const engine::WorkloadView view, services.engine.inspect(request.name));
  auto restarted = co_await services.engine.restart(view.id.str(), options);
  if (!restarted.ok()) co_return start_error(std::move(restarted).error());
  co_return co_await reply_empty(exchange, 204);
}

asio::awaitable<Result<void>> container_kill(Services& services, Request& request,
                                             http::Exchange& exchange) {
  const std::string_view name = request.query.get("signal");
  CO_TRY(const int signal, engine::parse_signal(name.empty() ? "KILL" : name));
  auto killed = co_await services.engine.kill(request.name, signal);
  CO_TRY_VOID(std::move(killed));
  co_return co_await reply_empty(exchange, 204);
}

asio::awaitable<Result<void>> container_rename(Services& services, Request& request,
                                               http::Exchange& exchange) {
  std::string name(request.query.get("name"));
  if (name.empty()) co_return fail(ErrorKind::kInvalid, "Neither old nor new names may be empty");
  auto renamed = co_await services.engine.rename(request.name, std::move(name));
  CO_TRY_VOID(std::move(renamed));
  co_return co_await reply_empty(exchange, 204);
}

asio::awaitable<Result<void>> container_resize(Services& services, Request& request,
                                               http::Exchange& exchange) {
  CO_TRY(const unsigned rows, dimension(request.query, "h"));
  CO_TRY(const unsigned columns, dimension(request.query, "w"));
  auto resized = co_await services.engine.resize(request.name, rows, columns);
  CO_TRY_VOID(std::move(resized));
  co_return co_await exchange.reply(200, "", "");
}

asio::awaitable<Result<void>> container_remove(Services& services, Request& request,
                                               http::Exchange& exchange) {
  if (request.query.flag("link"))
    co_return fail(ErrorKind::kUnsupported, "links are not supported yet");
  auto removed = co_await services.engine.remove(request.name, request.query.flag("force"),
                                                 request.query.flag("v"));
  CO_TRY_VOID(std::move(removed));
  co_return co_await reply_empty(exchange, 204);
}

}  // namespace berth::docker
