// SandboxPool: prepared sandboxes, made ahead of time by a thread of its own, so that connecting a
// workload costs an address and not a namespace. The same thread does the other things that must
// not keep a caller waiting. Sandboxes are held by descriptor only: when the process dies, however
// it dies, the kernel removes them. Thread-safe. The destructor waits for the step under way, at
// most some tens of milliseconds.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/result.h"
#include "network/sandbox.h"

namespace berth::network {

class SandboxPool {
 public:
  /// What the thread does. It never runs two of them at once.
  struct Work {
    std::function<Result<Sandbox>()> prepare;
    std::function<void()>
        run_deferred;            // after defer(), a moment later, so that several become one
    std::function<void()> idle;  // once, when nothing happened for a while
  };
  SandboxPool(std::size_t size, Work work) : size_(size), work_(std::move(work)) {}

  /// Starts the thread in the calling thread's network namespace. Until then the pool is empty and
  /// stays so.
  void start();
  /// Ends the thread and drops what waits. Fine if it never started.
  void stop();

  /// A prepared sandbox, if one is ready.
  std::optional<Sandbox> take();
  /// There is deferred work.
  void defer();

  /// Sandboxes ready now.
  std::size_t ready() const;
  /// Waits until the pool is full and no deferred work is left: for tests and benchmarks.
  void wait_until_settled();

 private:
  void run(const std::stop_token& stop);
  void refill_one(std::unique_lock<std::mutex>& lock);

  const std::size_t size_;
  const Work work_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<Sandbox> ready_;  // GUARDED_BY(mutex_)
  bool deferred_ = false;       // GUARDED_BY(mutex_)
  bool busy_ = false;           // GUARDED_BY(mutex_)
  bool failed_ =
      false;  // GUARDED_BY(mutex_): the last attempt to prepare; cleared by the next take()
  bool touched_ = true;  // GUARDED_BY(mutex_): something happened since idle ran
  std::jthread thread_;  // last: stops before the rest goes
};

}  // namespace berth::network
