// Attach: HTTP ends here; the client's socket itself goes to the engine, and from there to the
// workload's holder, so that the stream lives on when this daemon does not.
#include <fcntl.h>
#include <sys/socket.h>

#include "api/docker/handlers/handlers.h"
#include "api/docker/handlers/stream_type.h"
#include "api/docker/log_text.h"
#include "holder/detach_keys.h"

namespace berth::docker {
namespace {

namespace asio = boost::asio;

// What a client that has been promised a stream is told when there is none: Docker's words, in the
// stream itself.
void tell_failure(const UniqueFd& client, const Error& error) {
  const std::string text = fmt::format("Error attaching: {}\r\n", error.message());
  // One try: a client that does not read has no use for it.
  static_cast<void>(::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
}

// What has been written so far, before what is written from now on.
asio::awaitable<Result<void>> send_log(const engine::WorkloadView& view,
                                       const engine::AttachOptions& options,
                                       http::Connection& client) {
  holder::LogQuery query;
  query.stdout_stream = options.stdout_stream;
  query.stderr_stream = options.stderr_stream;
  auto log = holder::LogReader::open(view.log_path, query);
  if (!log.ok()) co_return Result<void>();  // it logs nothing, or has never run
  for (;;) {
    CO_TRY(const holder::LogPart part, log->read());
    const std::string text = log_text(part.records, view.config.tty, false);
    auto written = co_await client.write(text, {});
    CO_TRY_VOID(std::move(written));
    if (part.at_end) co_return Result<void>();
    auto yielded = co_await client.give_way();
    CO_TRY_VOID(std::move(yielded));
  }
}

}  // namespace

asio::awaitable<Result<void>> container_attach(Services& services, Request& request,
                                               http::Exchange& exchange) {
  const Query& query = request.query;
  CO_TRY(const engine::WorkloadView view, services.engine.inspect(request.name));
  engine::AttachOptions options;
  options.stdin_stream = query.flag("stdin") && view.config.open_stdin;
  options.stdout_stream = query.flag("stdout");
  options.stderr_stream = query.flag("stderr");
  options.detach_keys = query.get("detachKeys");
  // The holder parses them, when there is no status any more to refuse them with.
  CO_TRY_VOID(holder::parse_detach_keys(options.detach_keys).context("invalid detachKeys"));
  if (!exchange.body().at_end())
    co_return fail(ErrorKind::kInvalid,
                   "an attach request has no body: its input follows the answer");

  auto upgraded = co_await exchange.upgrade(stream_type(view.config.tty, request.version));
  CO_TRY_VOID(std::move(upgraded));
  if (query.flag("logs")) {
    auto sent = co_await send_log(view, options, exchange.connection());
    CO_TRY_VOID(std::move(sent));
  }
  if (!query.flag("stream")) co_return Result<void>();
  UniqueFd client = exchange.connection().release();
  // Kept to be able to say why there is no stream.
  const UniqueFd spare(::fcntl(client.get(), F_DUPFD_CLOEXEC, 0));
  auto attached =
      co_await services.engine.attach(view.id.str(), std::move(options), std::move(client));
  if (!attached.ok() && spare.valid()) tell_failure(spare, attached.error());
  co_return attached;
}

}  // namespace berth::docker
