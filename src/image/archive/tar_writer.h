// TarWriter: entries as a tar stream in the pax format. What fits the fields of ustar is there and
// nowhere else; the rest (long names and those that are not ASCII, large sizes and ids, fractions
// of seconds, extended attributes as SCHILY.xattr.*) is in records before the entry. The same
// entries make the same bytes. Owners are numbers alone. Source: pax(1) of POSIX.1-2017, "pax
// Interchange Format"; the SCHILY records are those of star(5). One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_sink.h"
#include "base/result.h"
#include "image/archive/tar_reader.h"

namespace berth::image {

class TarWriter {
 public:
  /// Borrows `sink`, whose errors come through unchanged, and after which the writer is of no use.
  explicit TarWriter(ByteSink& sink);
  TarWriter(const TarWriter&) = delete;
  TarWriter& operator=(const TarWriter&) = delete;

  /// Begins the next entry. `entry.size` bytes have to follow by write() if it is a file. A
  /// directory's path gets its slash here. Attributes whose names have a "=", which the format
  /// cannot tell from what follows, are left out.
  Result<void> begin(const TarEntry& entry);
  /// The next bytes of the current file; kInternal: they are more than it was said to have.
  Result<void> write(std::span<const std::byte> data);
  /// As many zeros as the current file still lacks: its end came earlier than was said.
  Result<void> fill_up();
  std::uint64_t missing() const { return missing_; }

  /// Ends the archive; once.
  Result<void> finish();

 private:
  Result<void> put(std::string_view bytes);
  Result<void> pad();
  Result<void> flush();

  ByteSink& sink_;
  std::vector<std::byte> buffer_;
  std::uint64_t missing_ = 0;  // bytes of the current file that are still to come
  std::uint64_t written_ = 0;  // into the stream
};

}  // namespace berth::image
