// ByteSource: bytes that arrive in order from somewhere (a request body, a file, a blob). Pull
// style, blocking.
#pragma once

#include <cstddef>
#include <span>

#include "base/result.h"

namespace berth {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Reads up to `into.size()` bytes; 0 means the end. Blocks until at least one byte, the end, or
  /// an error.
  virtual Result<std::size_t> read(std::span<std::byte> into) = 0;
};

}  // namespace berth
