#include "image/load/early_flush.h"

#include <unistd.h>

#include <cerrno>

namespace berth::image {

EarlyFlush::EarlyFlush(ByteSource& from, int directory)
    : from_(from), directory_(directory), thread_([this] { run(); }) {}

EarlyFlush::~EarlyFlush() {
  if (thread_.joinable()) end();
}

void EarlyFlush::end() {
  {
    const std::scoped_lock lock(mutex_);
    ended_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

Result<std::size_t> EarlyFlush::read(std::span<std::byte> into) {
  const std::size_t count = TRY(from_.read(into));
  since_flush_ += count;
  if (since_flush_ < kEvery) return count;
  since_flush_ = 0;
  {
    const std::scoped_lock lock(mutex_);
    wanted_ = true;
  }
  changed_.notify_one();
  return count;
}

Result<void> EarlyFlush::finish() {
  end();
  if (error_ == 0 && ::syncfs(directory_) != 0) error_ = errno;
  return error_ == 0 ? Result<void>() : Error::from_errno(error_, "flush what was unpacked");
}

void EarlyFlush::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return ended_ || wanted_; });
    if (ended_) return;
    wanted_ = false;
    lock.unlock();
    const int error = ::syncfs(directory_) == 0 ? 0 : errno;
    lock.lock();
    if (error_ == 0) error_ = error;
  }
}

}  // namespace berth::image
