// Top: the processes of a container.
#include "api/docker/handlers/handlers.h"
#include "api/docker/handlers/reply.h"
#include "api/docker/process_table.h"

namespace berth::docker {

namespace asio = boost::asio;

asio::awaitable<Result<void>> container_top(Services& services, Request& request,
                                            http::Exchange& exchange) {
  CO_TRY(const engine::WorkloadView view, services.engine.inspect(request.name));
  if (view.status.state != engine::WorkloadState::kRunning)
    co_return fail(ErrorKind::kConflict, "container {} is not running", view.id.str());
  if (view.config.pid_mode == "host")
    co_return fail(ErrorKind::kUnsupported,
                   "a container with --pid host cannot be told from the host's processes");
  const std::string_view arguments = request.query.get("ps_args");
  if (!arguments.empty() && arguments != "-ef")
    co_return fail(ErrorKind::kUnsupported,
                   "the ps options '{}' are not supported: there is only -ef", arguments);
  CO_TRY(const std::vector<ProcessRow> rows, processes_of(view.status.pid));
  const OrderedJson answer = {{"Titles", kProcessTitles}, {"Processes", rows}};
  co_return co_await reply_json(exchange, 200, answer);
}

}  // namespace berth::docker
