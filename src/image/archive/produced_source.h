// ProducedSource: what a function writes, to be read as a source: the function runs in a thread of
// its own, and whoever is ahead waits for the other.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/byte_sink.h"
#include "base/byte_source.h"
#include "base/result.h"

namespace berth::image {

class ProducedSource final : public ByteSource {
 public:
  /// Of what has been written and not read yet.
  static constexpr std::size_t kMaxQueued = 1U << 20;

  using Producer = std::function<Result<void>(ByteSink& sink)>;
  /// Starts `producer`. Its error comes out of read() once what it wrote before has been read.
  explicit ProducedSource(Producer producer);
  /// Lets the producer's next write fail, and waits until it has returned.
  ~ProducedSource() override;
  ProducedSource(const ProducedSource&) = delete;
  ProducedSource& operator=(const ProducedSource&) = delete;

  Result<std::size_t> read(std::span<std::byte> into) override;

 private:
  class Sink;
  Result<void> push(std::span<const std::byte> bytes);

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<std::vector<std::byte>> queue_;
  std::size_t queued_ = 0;  // bytes
  std::size_t at_ = 0;      // into the first of the queue
  bool ended_ = false;
  bool abandoned_ = false;
  std::optional<Error> error_;

  std::thread thread_;  // last: it uses the rest
};

}  // namespace berth::image
