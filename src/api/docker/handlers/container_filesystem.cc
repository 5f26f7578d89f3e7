// What a container's file system has become: its changes, and all of it as an archive.
#include <utility>

#include "api/docker/archive_stream.h"
#include "api/docker/handlers/handlers.h"
#include "base/json.h"

namespace berth::docker {
namespace {

namespace asio = boost::asio;

// A container may have changed millions of files: others are served between pieces of this size.
constexpr std::size_t kPieceBytes = 64U << 10;

void append_change(std::string& text, const image::Change& change) {
  text += dump_json(OrderedJson{{"Path", change.path}, {"Kind", std::to_underlying(change.kind)}});
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
  ArchiveProducer produce = [&engine = services.engine, id = view.id.str()](ByteSink& sink,
                                                                            std::stop_source stop) {
    return engine.export_filesystem(id, sink, std::move(stop));
  };
  co_return co_await stream_archive(exchange, std::move(produce), "application/octet-stream");
}

}  // namespace berth::docker
