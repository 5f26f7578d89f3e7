#include "network/sandbox_pool.h"

#include <chrono>
#include <utility>

#include "base/log.h"

namespace berth::network {
namespace {

using std::chrono::milliseconds;

// Deferred removals wait this long for company: the kernel removes most links by itself meanwhile,
// with their namespace.
constexpr milliseconds kDeferral{200};
// After this long without a change the idle work is done.
constexpr milliseconds kIdle{3000};

}  // namespace

void SandboxPool::start() {
  const std::scoped_lock lock(mutex_);
  if (!thread_.joinable())
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void SandboxPool::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  const std::scoped_lock lock(mutex_);
  ready_.clear();
}

std::optional<Sandbox> SandboxPool::take() {
  std::optional<Sandbox> taken;
  {
    const std::scoped_lock lock(mutex_);
    touched_ = true;
    failed_ = false;
    if (!ready_.empty()) {
      taken.emplace(std::move(ready_.back()));
      ready_.pop_back();
    }
  }
  changed_.notify_all();
  return taken;
}

void SandboxPool::defer() {
  {
    const std::scoped_lock lock(mutex_);
    touched_ = true;
    deferred_ = true;
  }
  changed_.notify_all();
}

std::size_t SandboxPool::ready() const {
  const std::scoped_lock lock(mutex_);
  return ready_.size();
}

void SandboxPool::wait_until_settled() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] {
    return !busy_ && !deferred_ && (ready_.size() >= size_ || failed_ || !thread_.joinable());
  });
}

void SandboxPool::refill_one(std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  Result<Sandbox> made = work_.prepare();
  lock.lock();
  if (made.ok()) {
    ready_.push_back(std::move(*made));
  } else {
    // Not tried again before somebody asks for one: connect() then makes its own and tells the user
    // why it cannot.
    failed_ = true;
    log::warning("no sandbox could be prepared: {}", made.error().message());
  }
}

void SandboxPool::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto refill_due = [this] { return ready_.size() < size_ && !failed_; };
  while (!stop.stop_requested()) {
    busy_ = true;
    if (refill_due()) {
      refill_one(lock);
    } else if (deferred_) {
      // A refill comes first: somebody waits for that. stop() does not wait for company.
      changed_.wait_for(lock, stop, kDeferral, refill_due);
      if (refill_due() || stop.stop_requested()) continue;
      deferred_ = false;
      lock.unlock();
      work_.run_deferred();
      lock.lock();
    } else {
      busy_ = false;
      changed_.notify_all();
      const auto work_due = [&] { return refill_due() || deferred_; };
      if (!touched_) {
        changed_.wait(lock, stop, work_due);
      } else if (!changed_.wait_for(lock, stop, kIdle, work_due) && !stop.stop_requested()) {
        touched_ = false;
        lock.unlock();
        work_.idle();
        lock.lock();
      }
    }
  }
  busy_ = false;
  changed_.notify_all();
}

}  // namespace berth::network
