#include "api/docker/answer_pipe.h"

#include <boost/asio/post.hpp>
#include <utility>

namespace berth::docker {

namespace asio = boost::asio;

AnswerPipe::AnswerPipe(const asio::any_io_executor& loop)
    : loop_(loop), wakeup_(std::make_shared<http::Wakeup>(loop)) {}

Result<void> AnswerPipe::write(std::span<const std::byte> bytes) {
  std::string piece(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::unique_lock lock(mutex_);
  room_.wait(lock, [&] { return abandoned_ || queue_.size() < kMaxQueued; });
  if (abandoned_) return fail(ErrorKind::kConflict, "the client has gone");
  const bool was_empty = queue_.empty();
  queue_.push_back(std::move(piece));
  lock.unlock();
  if (was_empty) asio::post(loop_, [wakeup = wakeup_] { wakeup->call(); });
  return {};
}

std::optional<std::string> AnswerPipe::take() {
  const std::lock_guard lock(mutex_);
  if (queue_.empty() || abandoned_) return std::nullopt;
  std::string piece = std::move(queue_.front());
  queue_.pop_front();
  room_.notify_one();
  return piece;
}

asio::awaitable<std::optional<std::string>> AnswerPipe::next() {
  for (;;) {
    // Noted first: what was written before the end is then taken below.
    const bool last = closed_;
    if (auto piece = take()) co_return piece;
    if (last) co_return std::nullopt;
    {
      const std::lock_guard lock(mutex_);
      if (abandoned_) co_return std::nullopt;
    }
    co_await wakeup_->wait();
  }
}

void AnswerPipe::close() {
  closed_ = true;
  wakeup_->call();
}

void AnswerPipe::abandon() {
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
  }
  room_.notify_all();
  wakeup_->call();
}

asio::awaitable<void> AnswerPipe::closed() {
  while (!closed_) co_await wakeup_->wait();
}

}  // namespace berth::docker
