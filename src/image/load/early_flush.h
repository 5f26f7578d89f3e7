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
/// some have gone by. One flush at a time. What the kernel could not write it tells once, and not
/// to those who open the file system later: finish() has to be called.
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

  /// Flushes what is left; the first error of any flush. Nothing may follow.
  Result<void> finish();

 private:
  void end();
  void run();

  ByteSource& from_;
  const int directory_;
  std::uint64_t since_flush_ = 0;  // the reader's

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool wanted_ = false;
  bool ended_ = false;
  int error_ = 0;  // errno of the first flush that failed

  std::thread thread_;  // last: it uses the rest
};

}  // namespace berth::image
