#include "image/archive/read_ahead.h"

#include <algorithm>
#include <cstring>

namespace berth::image {

ReadAhead::ReadAhead(ByteSource& from) : from_(from), thread_([this] { run(); }) {}

ReadAhead::~ReadAhead() {
  {
    const std::scoped_lock lock(mutex_);
    abandoned_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ReadAhead::run() {
  for (bool more = true; more;) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return abandoned_ || filled_ - taken_ < kChunks; });
    if (abandoned_) return;
    Chunk& next = chunk(filled_);
    lock.unlock();
    auto got = from_.read(next.bytes);
    lock.lock();
    more = got.ok() && *got > 0;
    if (more) {
      next.size = *got;
      ++filled_;
    } else {
      ended_ = true;
      if (!got.ok()) error_ = std::move(got).error();
    }
    lock.unlock();
    changed_.notify_all();
  }
}

Result<std::size_t> ReadAhead::read(std::span<std::byte> into) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return ended_ || taken_ < filled_; });
  if (taken_ == filled_) return error_ ? Result<std::size_t>(*error_) : Result<std::size_t>(0);
  Chunk& first = chunk(taken_);
  lock.unlock();
  const std::size_t count = std::min(into.size(), first.size - at_);
  std::memcpy(into.data(), first.bytes.data() + at_, count);
  at_ += count;
  if (at_ < first.size) return count;
  at_ = 0;
  lock.lock();
  ++taken_;
  lock.unlock();
  changed_.notify_all();
  return count;
}

}  // namespace berth::image
