// Downloads: blobs on their way from a registry to the disk, each readable while it arrives. A blob
// that was cut off is taken up where it ended, after a lost connection as after the end of this
// process. Who asks for a blob that is on its way already shares it. Thread-safe.
//
//   <directory>/<hex>.<size>   what has arrived; gone once it is kept, or is not what its digest
//                              says. The size is who asks's claim: a wrong one spoils nobody
//                              else's.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>

#include "base/byte_source.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "image/content/content_store.h"
#include "image/reference/digest.h"
#include "image/registry/patience.h"

namespace berth::image {

class Downloads;

/// One blob. Ends its transfer when the last one who shares it lets it go.
class Download : public std::enable_shared_from_this<Download> {
 public:
  /// The blob's bytes from `offset` on. `patience`: of the whole download.
  using Fetch = std::function<Result<std::unique_ptr<ByteSource>>(
      std::uint64_t offset, Patience& patience, std::stop_token stop)>;
  ~Download();

  /// From the first byte. A read waits for what has not arrived, and says at the end whether the
  /// blob is what its digest says: kCorrupt. Borrows this.
  std::unique_ptr<ByteSource> open();
  /// Bytes that have arrived, of all that there are.
  std::uint64_t arrived() const;
  std::uint64_t size() const { return size_; }
  /// Waits for the end. Errors as of a read there; after kCorrupt nothing is left of the file, and
  /// whoever asks for the blob anew gets another.
  Result<void> wait();
  /// The same, and leaves the file to `content`.
  Result<void> keep(ContentStore& content);

 private:
  friend class Downloads;
  class Reader;

  Download(Downloads& owner, Digest digest, std::uint64_t size, UniqueFd file, Fetch fetch);
  void run(const std::stop_token& stop);
  Result<void> fetch_all(const std::stop_token& stop);
  void advance(std::uint64_t arrived);
  void end(std::optional<Error> error);
  std::string name() const;

  Downloads& owner_;
  const Digest digest_;
  const std::uint64_t size_;
  const UniqueFd file_;
  const Fetch fetch_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::uint64_t arrived_ = 0;
  bool ended_ = false;
  std::optional<Error> error_;
  bool kept_ = false;

  std::jthread thread_;  // last: it uses the rest
};

class Downloads {
 public:
  /// As many at once as Docker has; further ones wait.
  static constexpr int kAtOnce = 3;

  /// Keeps its files in `directory`. What nobody has taken up for a week is removed.
  explicit Downloads(UniqueFd directory);

  /// kExhausted: `size` is beyond every cap.
  Result<std::shared_ptr<Download>> get(const Digest& digest, std::uint64_t size,
                                        Download::Fetch fetch);

 private:
  friend class Download;
  /// Nobody gets this one any more. `file_too`: nor what has arrived.
  void forget(const Download& download, bool file_too);

  UniqueFd directory_;
  std::counting_semaphore<kAtOnce> slots_{kAtOnce};
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<Download>>
      under_way_;  // guarded by mutex_; by the file's name
};

}  // namespace berth::image
