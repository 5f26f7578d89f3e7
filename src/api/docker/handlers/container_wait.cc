// Wait: the head of the answer goes out as soon as the wait is on, so that a client can start the
// container next and never misses its end; the body follows when that has come.
#include <array>

#include "api/docker/cancellable_task.h"
#include "api/docker/handlers/handlers.h"
#include "api/docker/handlers/reply.h"
#include "base/json.h"

namespace berth::docker {
namespace {

namespace asio = boost::asio;
using engine::WaitCondition;

struct ConditionName {
  std::string_view name;
  WaitCondition condition;
};
constexpr std::array kConditions = {ConditionName{"", WaitCondition::kNotRunning},
                                    ConditionName{"not-running", WaitCondition::kNotRunning},
                                    ConditionName{"next-exit", WaitCondition::kNextExit},
                                    ConditionName{"removed", WaitCondition::kRemoved}};

Result<WaitCondition> parse_condition(std::string_view text) {
  for (const ConditionName& known : kConditions) {
    if (known.name == text) return known.condition;
  }
  return fail(ErrorKind::kInvalid, "invalid condition: \"{}\"", text);
}

OrderedJson wait_json(const Result<engine::ExitStatus>& result) {
  OrderedJson json;
  json["StatusCode"] = result.ok() ? result->code : -1;
  const std::string& error = result.ok() ? result->error : result.error().message();
  if (!error.empty()) json["Error"] = {{"Message", error}};
  return json;
}

}  // namespace

asio::awaitable<Result<void>> container_wait(Services& services, Request& request,
                                             http::Exchange& exchange) {
  CO_TRY(const WaitCondition condition, parse_condition(request.query.get("condition")));
  if (const auto ended = services.engine.ended_meanwhile(request.name)) {
    const OrderedJson answer = wait_json(*ended);
    co_return co_await reply_json(exchange, 200, answer);
  }
  CO_TRY(const engine::WorkloadView view, services.engine.inspect(request.name));
  const auto loop = co_await asio::this_coro::executor;
  // By id: the name may be another container's by the time this one ends.
  CancellableTask<engine::ExitStatus> wait(loop, services.engine.wait(view.id.str(), condition));
  auto begun = co_await exchange.begin_stream(200, "application/json");
  auto result = co_await wait.until_gone(exchange.connection());
  CO_TRY_VOID(std::move(begun));
  if (!result) co_return fail(ErrorKind::kInternal, "the client has gone");
  const std::string body = dump_json(wait_json(*result)) + "\n";
  auto written = co_await exchange.write(body);
  CO_TRY_VOID(std::move(written));
  co_return co_await exchange.end_stream();
}

}  // namespace berth::docker
