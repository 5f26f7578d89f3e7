// Decompression of streams that came from outside: plain, gzip (RFC 1952, any number of members) or
// zstd (RFC 8878), told apart by their first bytes. What comes out is capped, both in bytes and in
// proportion to what went in.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/byte_source.h"
#include "base/result.h"

namespace berth::image {

struct DecompressLimits {
  /// No layer or archive is larger: Docker Hub's largest images stay below 64 GiB.
  std::uint64_t max_bytes = 64ULL << 30;
  /// Up to this much, any ratio is fine: large files of zeros do occur in images.
  std::uint64_t free_bytes = 4ULL << 30;
  /// Beyond it, output per input. Ordinary layers reach 3 to 10; a gzip bomb 1000, a zstd bomb far
  /// more.
  std::uint64_t max_ratio = 200;
};

enum class Compression : std::uint8_t { kNone, kGzip, kZstd };

/// What a stream that begins with these bytes (six, or all it has) is. kUnsupported for bzip2 and
/// xz.
Result<Compression> compression_of(std::span<const std::byte> head);

/// The bytes of `from` without their compression. Borrows `from`. Reads a first block at once, to
/// see what it is. kUnsupported for bzip2 and xz. The source returned says kCorrupt for a damaged
/// or truncated stream, kExhausted when a limit is hit. It holds about 200 KiB, for zstd more: what
/// the frame asks for, 128 MiB at most.
Result<std::unique_ptr<ByteSource>> decompress(ByteSource& from,
                                               const DecompressLimits& limits = {});

/// Reads what is left of `source`: only at its end does a compressed stream tell whether it was
/// whole.
Result<void> drain(ByteSource& source);

}  // namespace berth::image
