#include "image/archive/gzip_writer.h"

#include <isa-l/igzip_lib.h>

#include <array>
#include <vector>

namespace berth::image {
namespace {

constexpr std::size_t kOutputBuffer = 64U << 10;

}  // namespace

struct GzipWriter::State {
  isal_zstream stream = {};
  std::vector<std::uint8_t> level = std::vector<std::uint8_t>(ISAL_DEF_LVL1_DEFAULT);
  std::array<std::uint8_t, kOutputBuffer> output = {};
};

GzipWriter::GzipWriter(Sink sink) : sink_(std::move(sink)), state_(std::make_unique<State>()) {
  isal_deflate_init(&state_->stream);
  state_->stream.gzip_flag = IGZIP_GZIP;  // its header has no name and no time
  state_->stream.level = 1;
  state_->stream.level_buf = state_->level.data();
  state_->stream.level_buf_size = static_cast<std::uint32_t>(state_->level.size());
}

GzipWriter::~GzipWriter() = default;

Result<void> GzipWriter::write(std::span<const std::byte> bytes) {
  return compress(bytes, false);
}

Result<void> GzipWriter::finish() {
  return compress({}, true);
}

Result<void> GzipWriter::compress(std::span<const std::byte> bytes, bool last) {
  isal_zstream& stream = state_->stream;
  // The library does not write to its input.
  stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(bytes.data()));
  stream.avail_in = static_cast<std::uint32_t>(bytes.size());
  stream.end_of_stream = last ? 1 : 0;
  do {
    stream.next_out = state_->output.data();
    stream.avail_out = static_cast<std::uint32_t>(state_->output.size());
    if (isal_deflate(&stream) != COMP_OK) return fail(ErrorKind::kInternal, "cannot compress");
    const std::size_t made = state_->output.size() - stream.avail_out;
    if (made > 0) TRY(sink_(std::as_bytes(std::span(state_->output).first(made))));
  } while (stream.avail_out == 0 || stream.avail_in > 0);
  return {};
}

}  // namespace berth::image
