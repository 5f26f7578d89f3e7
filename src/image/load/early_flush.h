// EarlyFlush: what is unpacked goes to the disk while the rest still arrives, so that the flush
// that makes a layer durable has little left to do.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "base/byte_source.h"
#include "base/result.h"

namespace berth::image {

/// Passes on another source's bytes, and flushes a file system (syncfs(2)) beside that, each time
/// some have gone by. One flush at a time; promises nothing, an error of it included: what has to
/// be on the disk is flushed again, by whoever answers for it.
class EarlyFlush final : public ByteSource {
 public:
  static constexpr std::uint64_t kEvery = 16U << 20;

  /// Borrows `from`, and `directory`, a descriptor in the file system.
  EarlyFlush(ByteSource& from, int directory);
  /// Waits for the flush that is under way.
  ~EarlyFlush() override;
  EarlyFlush(const EarlyFlush&) = delete;
  EarlyFlush& operator=(const EarlyFlush&) = delete;

  Result<std::size_t> read(std::span<std::byte> into) override;

 private:
  void run();

  ByteSource& from_;
  const int directory_;
  std::uint64_t since_flush_ = 0;  // the reader's

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool wanted_ = false;
  bool ended_ = false;

  std::thread thread_;  // last: it uses the rest
};

}  // namespace berth::image
