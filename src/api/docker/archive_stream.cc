#include "api/docker/archive_stream.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <memory>
#include <utility>

#include "api/docker/answer_pipe.h"

namespace berth::docker {
namespace {

namespace asio = boost::asio;

struct Archive {
  Archive(const asio::any_io_executor& loop, ArchiveProducer work)
      : pipe(loop), produce(std::move(work)) {}
  AnswerPipe pipe;
  ArchiveProducer produce;
  std::stop_source stop;
  Result<void> outcome;
};

asio::awaitable<void> run(std::shared_ptr<Archive> archive) {
  auto work = archive->produce(archive->pipe, archive->stop);
  auto outcome = co_await std::move(work);
  archive->outcome = std::move(outcome);
  archive->pipe.close();
}

// The answer begins with the first bytes.
asio::awaitable<Result<void>> send(http::Exchange& exchange, Archive& archive,
                                   std::string_view media_type) {
  for (;;) {
    const auto piece = co_await archive.pipe.next();
    if (!piece) co_return Result<void>();
    if (!exchange.answered()) {
      auto begun = co_await exchange.begin_stream(200, media_type);
      CO_TRY_VOID(std::move(begun));
    }
    auto written = co_await exchange.write(*piece);
    CO_TRY_VOID(std::move(written));
  }
}

}  // namespace

asio::awaitable<Result<void>> stream_archive(http::Exchange& exchange, ArchiveProducer produce,
                                             std::string_view media_type) {
  const auto loop = co_await asio::this_coro::executor;
  const auto archive = std::make_shared<Archive>(loop, std::move(produce));
  // Requested on the loop, as every other call of the engine's comes there.
  const auto end = [&pipe = archive->pipe] { pipe.abandon(); };
  const std::stop_callback on_stop(archive->stop.get_token(), end);
  asio::co_spawn(loop, run(archive), asio::detached);
  exchange.connection().watch([weak = std::weak_ptr<Archive>(archive)] {
    if (const auto self = weak.lock()) self->pipe.abandon();
  });
  auto sent = co_await send(exchange, *archive, media_type);
  archive->pipe.abandon();  // if the client did not stay for the end
  co_await archive->pipe.closed();
  exchange.connection().unwatch();
  CO_TRY_VOID(std::move(sent));
  CO_TRY_VOID(std::move(archive->outcome));
  co_return co_await exchange.end_stream();
}

}  // namespace berth::docker
