#include "image/archive/decompress.h"

#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::image {
namespace {

constexpr std::size_t kInputBuffer = 64U << 10;

/// A frame may ask for a window of this many bits and no more: zstd's own default for decoders.
constexpr int kMaxZstdWindowLog = 27;

/// The compressed side: one buffer, refilled when it is empty.
class Input {
 public:
  explicit Input(ByteSource& from) : from_(from), buffer_(kInputBuffer) {}

  /// Reads until `count` bytes are here or the source ends.
  Result<void> want(std::size_t count) {
    while (end_ - begin_ < count && !at_end_) {
      // What is kept is a few bytes at most, so this costs nothing; `count` never exceeds the
      // buffer.
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= std::exchange(begin_, 0);
      const std::size_t got = TRY(from_.read(std::span(buffer_).subspan(end_)));
      at_end_ = got == 0;
      end_ += got;
      total_ += got;
    }
    return {};
  }
  std::span<std::byte> bytes() { return std::span(buffer_).subspan(begin_, end_ - begin_); }
  void consume(std::size_t count) { begin_ += count; }
  /// All that was ever read, consumed or not.
  std::uint64_t total() const { return total_; }

 private:
  ByteSource& from_;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t total_ = 0;
  bool at_end_ = false;
};

/// What the three have in common: the caps on what comes out, and that a failure is final. A tar
/// reader that looks ahead may pass over one that comes behind the last entry.
class LimitedSource : public ByteSource {
 public:
  LimitedSource(Input input, const DecompressLimits& limits)
      : input_(std::move(input)), limits_(limits) {}

  Result<std::size_t> read(std::span<std::byte> into) final {
    if (failure_) return *failure_;
    auto got = into.empty() ? Result<std::size_t>(0U) : produce_within_limits(into);
    if (!got.ok()) failure_ = got.error();
    return got;
  }

 protected:
  virtual Result<std::size_t> produce(std::span<std::byte> into) = 0;
  Input input_;

 private:
  Result<std::size_t> produce_within_limits(std::span<std::byte> into) {
    const std::size_t got = TRY(produce(into));
    produced_ += got;
    if (produced_ > limits_.max_bytes) {
      return fail(ErrorKind::kExhausted, "it unpacks to more than {} bytes", limits_.max_bytes);
    }
    if (produced_ > limits_.free_bytes && produced_ / limits_.max_ratio > input_.total()) {
      return fail(ErrorKind::kExhausted,
                  "it unpacks to more than {} times its size, which only a decompression bomb does",
                  limits_.max_ratio);
    }
    return got;
  }

  DecompressLimits limits_;
  std::optional<Error> failure_;
  std::uint64_t produced_ = 0;
};

class PlainSource final : public LimitedSource {
 public:
  using LimitedSource::LimitedSource;

 private:
  Result<std::size_t> produce(std::span<std::byte> into) override {
    TRY(input_.want(1));
    const auto have = input_.bytes();
    const std::size_t count = std::min(have.size(), into.size());
    std::copy_n(have.begin(), count, into.begin());
    input_.consume(count);
    return count;
  }
};

class GzipSource final : public LimitedSource {
 public:
  GzipSource(Input input, const DecompressLimits& limits)
      : LimitedSource(std::move(input), limits) {
    isal_inflate_init(state_.get());
    state_->crc_flag = ISAL_GZIP;
  }

 private:
  Result<std::size_t> produce(std::span<std::byte> into) override {
    const std::size_t room =
        std::min<std::size_t>(into.size(), std::numeric_limits<std::uint32_t>::max());
    for (;;) {
      TRY(input_.want(1));
      if (state_->block_state == ISAL_BLOCK_FINISH && !TRY(next_member())) return 0U;
      const auto have = input_.bytes();
      state_->next_in = reinterpret_cast<std::uint8_t*>(have.data());
      state_->avail_in = static_cast<std::uint32_t>(have.size());
      state_->next_out = reinterpret_cast<std::uint8_t*>(into.data());
      state_->avail_out = static_cast<std::uint32_t>(room);
      const int status = isal_inflate(state_.get());
      if (status != ISAL_DECOMP_OK && status != ISAL_END_INPUT) {
        return fail(ErrorKind::kCorrupt, "the gzip stream is damaged");
      }
      input_.consume(have.size() - state_->avail_in);
      if (state_->avail_out < room) return room - state_->avail_out;
      if (have.empty() && state_->block_state != ISAL_BLOCK_FINISH) {
        return fail(ErrorKind::kCorrupt, "the gzip stream ends too early");
      }
    }
  }

  /// False at the end of the stream. gzip(1) lets zeros follow the last member, as tape blocks do.
  Result<bool> next_member() {
    for (;;) {
      TRY(input_.want(1));
      const auto have = input_.bytes();
      if (have.empty()) return false;
      if (have[0] != std::byte{0}) break;
      input_.consume(1);
    }
    TRY(input_.want(2));
    const auto have = input_.bytes();
    if (have.size() < 2 || have[0] != std::byte{0x1f} || have[1] != std::byte{0x8b}) {
      return fail(ErrorKind::kCorrupt, "something that is not gzip follows the gzip stream");
    }
    isal_inflate_reset(state_.get());
    state_->crc_flag = ISAL_GZIP;
    return true;
  }

  std::unique_ptr<inflate_state> state_ = std::make_unique<inflate_state>();
};

class ZstdSource final : public LimitedSource {
 public:
  ZstdSource(Input input, const DecompressLimits& limits)
      : LimitedSource(std::move(input), limits) {
    ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kMaxZstdWindowLog);
  }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };

  Result<std::size_t> produce(std::span<std::byte> into) override {
    for (;;) {
      TRY(input_.want(1));
      const auto have = input_.bytes();
      if (have.empty() && between_frames_) return 0U;
      ZSTD_inBuffer in{have.data(), have.size(), 0};
      ZSTD_outBuffer out{into.data(), into.size(), 0};
      const std::size_t left = ZSTD_decompressStream(context_.get(), &out, &in);
      if (ZSTD_isError(left) != 0) {
        return fail(ErrorKind::kCorrupt, "the zstd stream is damaged: {}", ZSTD_getErrorName(left));
      }
      input_.consume(in.pos);
      between_frames_ = left == 0;
      if (out.pos > 0) return out.pos;
      if (have.empty()) return fail(ErrorKind::kCorrupt, "the zstd stream ends too early");
    }
  }

  std::unique_ptr<ZSTD_DCtx, Free> context_{ZSTD_createDCtx()};
  bool between_frames_ = true;
};

bool starts_with(std::span<const std::byte> bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

bool is_zstd(std::span<const std::byte> bytes) {
  if (starts_with(bytes, "\x28\xb5\x2f\xfd")) return true;
  // A skippable frame, which parallel compressors write first: 0x184D2A50 to 5F, little-endian.
  return bytes.size() >= 4 && (bytes[0] & std::byte{0xf0}) == std::byte{0x50} &&
         starts_with(bytes.subspan(1), "\x2a\x4d\x18");
}

}  // namespace

Result<Compression> compression_of(std::span<const std::byte> head) {
  if (starts_with(head, "\x1f\x8b")) return Compression::kGzip;
  if (is_zstd(head)) return Compression::kZstd;
  if (starts_with(head, "BZh"))
    return fail(ErrorKind::kUnsupported, "it is compressed with bzip2; use gzip or zstd");
  if (starts_with(head, std::string_view("\xfd"
                                         "7zXZ\0",
                                         6)))
    return fail(ErrorKind::kUnsupported, "it is compressed with xz; use gzip or zstd");
  return Compression::kNone;
}

Result<std::unique_ptr<ByteSource>> decompress(ByteSource& from, const DecompressLimits& limits) {
  Input input(from);
  TRY(input.want(6));
  std::unique_ptr<ByteSource> source;
  switch (TRY(compression_of(input.bytes()))) {
    case Compression::kGzip:
      source = std::make_unique<GzipSource>(std::move(input), limits);
      break;
    case Compression::kZstd:
      source = std::make_unique<ZstdSource>(std::move(input), limits);
      break;
    case Compression::kNone:
      source = std::make_unique<PlainSource>(std::move(input), limits);
  }
  return source;
}

Result<void> drain(ByteSource& source) {
  std::vector<std::byte> buffer(kInputBuffer);
  while (TRY(source.read(buffer)) > 0) {
  }
  return {};
}

}  // namespace berth::image
