// ByteSink: bytes that go somewhere in order (an answer's body, a file, a queue). Push style,
// blocking.
#pragma once

#include <cstddef>
#include <span>

#include "base/result.h"

namespace berth {

class ByteSink {
 public:
  virtual ~ByteSink() = default;
  /// Takes all of `bytes`, or fails: then nobody wants what would follow.
  virtual Result<void> write(std::span<const std::byte> bytes) = 0;
};

}  // namespace berth
