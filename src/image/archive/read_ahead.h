// ReadAhead: another source's bytes, fetched by a thread of its own: what makes them
// (decompression, a digest) runs beside what takes them (making files). Bounded: whoever is ahead
// waits.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/byte_source.h"
#include "base/result.h"

namespace berth::image {

class ReadAhead final : public ByteSource {
 public:
  static constexpr std::size_t kChunk = 256U << 10;
  static constexpr std::size_t kChunks = 4;

  /// Borrows `from`, which nobody else uses until this object has gone, or read() has said the end
  /// or an error.
  explicit ReadAhead(ByteSource& from);
  /// Waits for the read of `from` that is under way.
  ~ReadAhead() override;
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  Result<std::size_t> read(std::span<std::byte> into) override;

 private:
  struct Chunk {
    std::vector<std::byte> bytes = std::vector<std::byte>(kChunk);
    std::size_t size = 0;
  };
  void run();
  Chunk& chunk(std::size_t number) { return chunks_[number % kChunks]; }

  ByteSource& from_;
  std::array<Chunk, kChunks> chunks_;
  std::size_t at_ = 0;  // into the chunk that is being taken; the reader's

  std::mutex
      mutex_;  // guards what follows; chunks from taken_ on, before filled_, are the reader's
  std::condition_variable changed_;
  std::size_t filled_ = 0;  // chunks ever filled
  std::size_t taken_ = 0;   // and taken
  bool ended_ = false;
  bool abandoned_ = false;
  std::optional<Error> error_;

  std::thread thread_;  // last: it uses the rest
};

}  // namespace berth::image
