// BusReader: a cursor over the bytes of a D-Bus message that somebody else wrote, in either byte
// order. Every read is checked against the end, every string against the length it claims, and what
// is skipped against the specification's limits on nesting. D-Bus specification, "Marshaling (Wire
// Format)", "Valid Signatures". Errors are kCorrupt.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace berth::container {

class BusReader {
 public:
  /// `bytes` outlives the reader; alignment counts from its first byte. `swapped`:
  /// its byte order is not this host's.
  BusReader(std::string_view bytes, bool swapped) : bytes_(bytes), swapped_(swapped) {}

  Result<std::uint8_t> read_byte();
  Result<std::uint32_t> read_uint32();
  /// Strings and object paths.
  Result<std::string> read_string();
  Result<std::string> read_signature();
  /// The end of an array of elements with that alignment, which the reader then stands before.
  Result<std::size_t> begin_array(std::size_t alignment);
  /// To the next multiple; padding has to be zero.
  Result<void> align(std::size_t alignment);
  /// Passes over a value of each type in the signature.
  Result<void> skip(std::string_view signature);

  std::size_t position() const { return at_; }
  bool at_end() const { return at_ == bytes_.size(); }

 private:
  Result<std::string_view> take(std::size_t count);
  Result<std::string> read_text(std::size_t length);
  // Of the first type of a signature that is a valid one; removes it.
  Result<void> skip_one(std::string_view& signature, int depth);
  Result<void> skip_array(std::string_view& signature, int depth);
  Result<void> skip_variant(int depth);

  std::string_view bytes_;
  bool swapped_;
  std::size_t at_ = 0;
};

/// The first complete type of a signature, "a{sv}" of "a{sv}u". Empty: there is none.
std::string_view first_type(std::string_view signature);

}  // namespace berth::container
