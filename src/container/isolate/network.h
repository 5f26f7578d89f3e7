// A new network namespace, made on a thread beside the rest: making one takes the kernel as long as
// all the other steps of a start together. network_namespaces(7).
#pragma once

#include <thread>

#include "base/result.h"

namespace berth::container {

class NetworkMaker {
 public:
  NetworkMaker() = default;
  ~NetworkMaker() { join(); }
  NetworkMaker(const NetworkMaker&) = delete;
  NetworkMaker& operator=(const NetworkMaker&) = delete;

  /// Starts making a namespace with its loopback interface up; it is sent to init as Word::kNetwork
  /// over `channel`, the parent's end, which has to stay open until finish(). If it cannot be made,
  /// the channel is shut down, which ends init. kExhausted: no thread can be made.
  Result<void> start(int channel);
  /// Waits for the thread and says how it went. Without start(): success.
  Result<void> finish();

 private:
  void join() {
    if (thread_.joinable()) thread_.join();
  }

  std::thread thread_;
  Result<void> outcome_;  // the thread's until it is joined
};

}  // namespace berth::container
