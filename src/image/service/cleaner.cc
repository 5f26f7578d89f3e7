#include "image/service/cleaner.h"

namespace berth::image {

Cleaner::~Cleaner() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Cleaner::wake() {
  const std::lock_guard lock(mutex_);
  wanted_ = true;
  if (running_) return;
  running_ = true;
  // One before this has ended, or is about to with nothing left to do.
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Cleaner::wait() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return !running_; });
}

void Cleaner::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (wanted_ && !stop.stop_requested()) {
    wanted_ = false;
    lock.unlock();
    work_(stop);
    lock.lock();
  }
  running_ = false;
  idle_.notify_all();
}

}  // namespace berth::image
