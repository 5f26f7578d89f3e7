#include "api/docker/body_pipe.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <cstring>
#include <exception>
#include <utility>

namespace berth::docker {

namespace asio = boost::asio;

BodyPipe::BodyPipe(http::Exchange& exchange, const asio::any_io_executor& loop)
    : body_(exchange.body()),
      connection_(exchange.connection()),
      loop_(loop),
      room_(std::make_shared<http::Wakeup>(loop)),
      pumped_(loop) {}

void BodyPipe::start() {
  pumping_ = true;
  asio::co_spawn(loop_, pump(), [this](std::exception_ptr thrown) {
    if (thrown) end(fail(ErrorKind::kInternal, "reading the request's body failed"));
    pumping_ = false;
    pumped_.call();
  });
}

asio::awaitable<void> BodyPipe::finish() {
  abandoned_ = true;
  room_->call();
  // The client may have stopped in the middle, waiting for the answer that we are about to give.
  if (pumping_) connection_.interrupt();
  while (pumping_) co_await pumped_.wait();
}

asio::awaitable<void> BodyPipe::pump() {
  while (!abandoned_) {
    if (full()) {
      co_await room_->wait();
      continue;
    }
    std::string chunk(kChunk, '\0');
    auto got = co_await body_.read_body(chunk);
    if (!got.ok()) {
      end(std::move(got).error());
      co_return;
    }
    if (*got == 0) break;
    chunk.resize(*got);
    push(std::move(chunk));
  }
  end({});
}

bool BodyPipe::full() {
  const std::lock_guard lock(mutex_);
  return queue_.size() >= kMaxQueued;
}

void BodyPipe::push(std::string chunk) {
  const std::lock_guard lock(mutex_);
  queue_.push_back(std::move(chunk));
  filled_.notify_one();
}

void BodyPipe::end(std::optional<Error> error) {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  error_ = std::move(error);
  filled_.notify_one();
}

Result<std::size_t> BodyPipe::read(std::span<std::byte> into) {
  std::unique_lock lock(mutex_);
  filled_.wait(lock, [&] { return !queue_.empty() || ended_; });
  if (queue_.empty()) {
    if (error_) return Error(*error_);
    return std::size_t{0};
  }
  const std::string& chunk = queue_.front();
  const std::size_t count = std::min(into.size(), chunk.size() - offset_);
  std::memcpy(into.data(), chunk.data() + offset_, count);
  offset_ += count;
  if (offset_ == chunk.size()) {
    const bool was_full = queue_.size() == kMaxQueued;
    queue_.pop_front();
    offset_ = 0;
    lock.unlock();
    if (was_full) asio::post(loop_, [room = room_] { room->call(); });
  }
  return count;
}

}  // namespace berth::docker
