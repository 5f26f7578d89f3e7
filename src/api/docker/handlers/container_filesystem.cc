// What a container's file system has become: its changes, and all of it as an archive.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <stop_token>
#include <utility>

#include "api/docker/answer_pipe.h"
#include "api/docker/handlers/handlers.h"
#include "base/json.h"

namespace berth::docker {
namespace {

namespace asio = boost::asio;

// A container may have changed millions of files: others are served between pieces of this size.
constexpr std::size_t kPieceBytes = 64U << 10;

struct Export {
  explicit Export(const asio::any_io_executor& loop) : pipe(loop) {}
  AnswerPipe pipe;
  std::stop_source stop;
  Result<void> outcome;
};

void append_change(std::string& text, const image::Change& change) {
  text += dump_json(OrderedJson{{"Path", change.path}, {"Kind", std::to_underlying(change.kind)}});
}

asio::awaitable<void> produce(engine::Engine& engine, std::string workload,
                              std::shared_ptr<Export> shared) {
  auto outcome = co_await engine.export_filesystem(workload, shared->pipe, shared->stop);
  shared->outcome = std::move(outcome);
  shared->pipe.close();
}

// The answer begins with the first bytes: what goes wrong before is an answer of its own.
asio::awaitable<Result<void>> send(http::Exchange& exchange, Export& shared) {
  for (;;) {
    const auto piece = co_await shared.pipe.next();
    if (!piece) co_return Result<void>();
    if (!exchange.answered()) {
      auto begun = co_await exchange.begin_stream(200, "application/octet-stream");
      CO_TRY_VOID(std::move(begun));
    }
    auto written = co_await exchange.write(*piece);
    CO_TRY_VOID(std::move(written));
  }
}

}  // namespace

asio::awaitable<Result<void>> container_changes(Services& services, Request& request,
                                                http::Exchange& exchange) {
  auto compared = co_await services.engine.changes(request.name);
  CO_TRY(const std::vector<image::Change> changes, std::move(compared));
  auto begun = co_await exchange.begin_stream(200, "application/json");
  CO_TRY_VOID(std::move(begun));
  std::string text = "[";
  for (const image::Change& change : changes) {
    if (text.size() > kPieceBytes) {
      auto written = co_await exchange.write(text);
      CO_TRY_VOID(std::move(written));
      auto yielded = co_await exchange.connection().give_way();
      CO_TRY_VOID(std::move(yielded));
      text.clear();
    }
    if (&change != changes.data()) text += ',';
    append_change(text, change);
  }
  text += "]\n";
  auto written = co_await exchange.write(text);
  CO_TRY_VOID(std::move(written));
  co_return co_await exchange.end_stream();
}

asio::awaitable<Result<void>> container_export(Services& services, Request& request,
                                               http::Exchange& exchange) {
  CO_TRY(const engine::WorkloadView view, services.engine.inspect(request.name));
  const auto loop = co_await asio::this_coro::executor;
  const auto shared = std::make_shared<Export>(loop);
  // Requested on the loop, as every other call of the engine's comes there.
  const auto end = [&pipe = shared->pipe] { pipe.abandon(); };
  const std::stop_callback on_stop(shared->stop.get_token(), end);
  asio::co_spawn(loop, produce(services.engine, view.id.str(), shared), asio::detached);
  exchange.connection().watch([weak = std::weak_ptr<Export>(shared)] {
    if (const auto self = weak.lock()) self->pipe.abandon();
  });
  auto sent = co_await send(exchange, *shared);
  shared->pipe.abandon();  // if the client did not stay for the end
  co_await shared->pipe.closed();
  exchange.connection().unwatch();
  CO_TRY_VOID(std::move(sent));
  CO_TRY_VOID(std::move(shared->outcome));
  co_return co_await exchange.end_stream();
}

}  // namespace berth::docker
