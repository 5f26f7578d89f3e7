// Cleaner: does one piece of work behind everybody's back, on a thread that is there only while
// there is some. Its end asks the work to stop, and waits for that. Thread-safe.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace berth::image {

class Cleaner {
 public:
  using Work = std::function<void(const std::stop_token&)>;

  explicit Cleaner(Work work) : work_(std::move(work)) {}
  ~Cleaner();
  Cleaner(const Cleaner&) = delete;
  Cleaner& operator=(const Cleaner&) = delete;

  /// The work is begun soon; once more, if it is under way.
  void wake();
  /// Until all that it was woken for has been done.
  void wait();

 private:
  void run(const std::stop_token& stop);

  const Work work_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable idle_;
  bool wanted_ = false;
  bool running_ = false;
  std::jthread thread_;  // last: it uses the rest
};

}  // namespace berth::image
