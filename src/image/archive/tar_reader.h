// TarReader: a tar stream (ustar, pax, GNU; sparse files too) as a row of values. libarchive
// parses; it never sees the file system. Bytes come from an untrusted place, so every field is
// checked here or by whoever uses it. One thread at a time.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/byte_source.h"
#include "base/result.h"

namespace berth::image {

struct TarEntry {
  enum class Kind { kFile, kDirectory, kSymlink, kHardlink, kCharDevice, kBlockDevice, kFifo };
  Kind kind = Kind::kFile;
  std::string path;  // as written in the archive
  std::string link;  // target of kSymlink and kHardlink, as written
  mode_t mode = 0;   // permission bits with setuid, setgid, sticky
  uid_t uid = 0;
  gid_t gid = 0;
  std::uint64_t size = 0;  // of kFile: bytes, holes included
  timespec mtime{};
  unsigned int device_major = 0;
  unsigned int device_minor = 0;
  std::vector<std::pair<std::string, std::string>> xattrs;
};

/// A run of a file's data; what lies between runs is a hole.
struct TarBlock {
  std::span<const std::byte> data;  // valid until the next call
  std::uint64_t offset = 0;
};

class TarReader {
 public:
  /// Borrows `source`, whose compression, if any, is off already. An error of the source comes
  /// through unchanged.
  static Result<TarReader> open(ByteSource& source);
  TarReader(TarReader&&) noexcept;
  ~TarReader();

  /// Reads the next header into `entry`; false at the end. kCorrupt if this is no tar, or a damaged
  /// one; kInvalid for a header that makes no sense.
  Result<bool> next(TarEntry& entry);
  /// Reads the next run of the current file's data; false at its end.
  Result<bool> next_block(TarBlock& block);
  /// The whole of the current file. kExhausted if it has more than `max_bytes`.
  Result<std::string> read_text(const TarEntry& entry, std::size_t max_bytes);

 private:
  struct State;
  explicit TarReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace berth::image
