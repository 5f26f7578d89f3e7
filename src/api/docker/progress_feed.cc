#include "api/docker/progress_feed.h"

#include "api/docker/wire/progress_lines.h"

namespace berth::docker {
namespace {

namespace asio = boost::asio;

// How many lines may wait for a slow client before those that only tell how far something is are
// left out.
constexpr std::size_t kMaxQueued = 256;

}  // namespace

void ProgressFeed::add(std::string line, bool moves) {
  if (moves && lines_.size() >= kMaxQueued) return;
  lines_.push_back(std::move(line));
  wakeup_.call();
}

void ProgressFeed::end(Result<void> result) {
  result_.emplace(std::move(result));
  wakeup_.call();
}

asio::awaitable<Result<void>> ProgressFeed::write_to(http::Exchange& exchange) {
  for (;;) {
    while (!lines_.empty()) {
      const std::string line = std::move(lines_.front());
      lines_.pop_front();
      auto written = co_await exchange.write(line);
      CO_TRY_VOID(std::move(written));
    }
    if (result_) break;
    co_await wakeup_.wait();
  }
  if (!result_->ok()) {
    const std::string last = error_line(result_->error().message());
    auto written = co_await exchange.write(last);
    CO_TRY_VOID(std::move(written));
  }
  co_return co_await exchange.end_stream();
}

asio::awaitable<Result<void>> stream_progress(http::Exchange& exchange,
                                              std::shared_ptr<ProgressFeed> feed,
                                              std::string first) {
  exchange.connection().watch([weak = std::weak_ptr<ProgressFeed>(feed)] {
    if (const auto self = weak.lock()) self->stop_.request_stop();
  });
  while (feed->lines_.empty() && !feed->result_) co_await feed->wakeup_.wait();
  Result<void> answered;
  if (feed->lines_.empty() && !feed->result_->ok()) {
    answered = feed->result_->error();
  } else {
    feed->lines_.push_front(std::move(first));
    answered = co_await exchange.begin_stream(200, "application/json");
    if (answered.ok()) answered = co_await feed->write_to(exchange);
  }
  feed->stop_.request_stop();  // if the client did not stay for the end
  while (!feed->result_) co_await feed->wakeup_.wait();
  exchange.connection().unwatch();
  co_return answered;
}

}  // namespace berth::docker
