#include "image/load/early_flush.h"

#include <unistd.h>

#include <utility>

namespace berth::image {

EarlyFlush::EarlyFlush(ByteSource& from, int directory)
    : from_(from), directory_(directory), thread_([this] { run(); }) {}

EarlyFlush::~EarlyFlush() {
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

void EarlyFlush::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return ended_ || wanted_; });
    if (ended_) return;
    wanted_ = false;
    lock.unlock();
    (void)::syncfs(directory_);
    lock.lock();
  }
}

}  // namespace berth::image
