// GzipWriter: compresses a stream that is given to it piece by piece into one gzip member (RFC
// 1952). The same bytes make the same member on every machine and at every time. About as fast as a
// disk: what is kept of layers that come without compression must not hold up the one who brings
// them.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

#include "base/result.h"

namespace berth::image {

class GzipWriter {
 public:
  /// Takes the compressed bytes in order.
  using Sink = std::function<Result<void>(std::span<const std::byte>)>;

  explicit GzipWriter(Sink sink);
  ~GzipWriter();
  GzipWriter(const GzipWriter&) = delete;
  GzipWriter& operator=(const GzipWriter&) = delete;

  Result<void> write(std::span<const std::byte> bytes);
  /// Ends the member; call once.
  Result<void> finish();

 private:
  struct State;

  Result<void> compress(std::span<const std::byte> bytes, bool last);

  Sink sink_;
  std::unique_ptr<State> state_;
};

}  // namespace berth::image
