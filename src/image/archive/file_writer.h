// FileWriter: files that have been made get their data and their attributes from a thread of its
// own, beside whatever makes the next ones. Bounded, in bytes and in files that are open: whoever
// is ahead waits. For one thread at a time.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "image/archive/tar_reader.h"

namespace berth::image {

class FileWriter {
 public:
  FileWriter();
  /// Gives up what has not been written yet.
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  /// The next file: empty, open for writing. What `entry` says is set once all its data is there;
  /// its size is the file's, whatever holes that leaves.
  void begin(UniqueFd file, TarEntry entry);
  /// Some of its data, copied.
  void write(std::span<const std::byte> data, std::uint64_t offset);
  /// Whether something went wrong, which finish() tells. What comes after is not written.
  bool failed() const;
  /// Waits until all is done. The error names the entry. Nothing may follow.
  Result<void> finish();

 private:
  static constexpr std::size_t kBatches = 4;
  static constexpr std::size_t kBatchBytes = 256U << 10;
  static constexpr std::size_t kBatchSteps = 64;

  struct File {
    UniqueFd fd;
    TarEntry entry;
    std::uint64_t end = 0;  // of the data that was written
  };
  struct Write {
    std::uint64_t offset;
    std::size_t size;  // of the batch's data, after that of the writes before
  };
  struct Batch {
    std::vector<std::variant<File, Write>> steps;
    std::vector<std::byte> data;
    std::size_t bytes = 0;  // of the data, and of what the entries themselves take
  };

  /// The batch that is being filled, with room for a step.
  Batch& room();
  void hand_over();
  void run();
  Result<void> carry_out(Batch& batch);
  Result<void> end_file();
  Batch& batch(std::size_t number) { return batches_[number % kBatches]; }

  std::array<Batch, kBatches> batches_;
  std::optional<File> file_;  // the thread's

  mutable std::mutex mutex_;  // guards what follows; batches from done_ on are the thread's, up to
                              // ready_, which is the caller's
  std::condition_variable changed_;
  std::size_t ready_ = 0;  // batches ever handed over
  std::size_t done_ = 0;   // and carried out
  bool abandoned_ = false;
  bool finished_ = false;
  std::optional<Error> error_;

  std::thread thread_;  // last: it uses the rest
};

}  // namespace berth::image
