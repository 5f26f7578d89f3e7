// Any bytes as an archive: whatever it claims, names stay inside, data stays within the size that
// was announced, and the stream ends.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "image/archive/decompress.h"
#include "image/archive/entry_path.h"
#include "image/archive/tar_reader.h"

namespace {

using berth::image::TarEntry;

class BytesSource final : public berth::ByteSource {
 public:
  explicit BytesSource(std::span<const std::uint8_t> bytes) : rest_(std::as_bytes(bytes)) {}
  berth::Result<std::size_t> read(std::span<std::byte> into) override {
    const std::size_t count = std::min(into.size(), rest_.size());
    std::copy_n(rest_.begin(), count, into.begin());
    rest_ = rest_.subspan(count);
    return count;
  }

 private:
  std::span<const std::byte> rest_;
};

void check_path(const TarEntry& entry) {
  const auto path = berth::image::clean_entry_path(entry.path);
  if (!path.ok()) return;
  if (path->starts_with('/') || *path == ".." || path->starts_with("../") ||
      path->find("/../") != std::string::npos || path->ends_with("/..")) {
    std::abort();
  }
  (void)berth::image::parse_whiteout(berth::image::split_path(*path).name);
}

void read_all(berth::ByteSource& source) {
  auto reader = berth::image::TarReader::open(source);
  if (!reader.ok()) return;
  TarEntry entry;
  for (auto more = reader->next(entry); more.ok() && *more; more = reader->next(entry)) {
    check_path(entry);
    berth::image::TarBlock block;
    for (auto data = reader->next_block(block); data.ok() && *data;
         data = reader->next_block(block)) {
      // Touches every byte that is said to be there.
      const volatile auto last = block.data.empty() ? std::byte{0} : block.data.back();
      (void)last;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  BytesSource bytes({data, size});
  const auto plain = berth::image::decompress(bytes, {.max_bytes = 16U << 20});
  if (plain.ok()) read_all(**plain);
  return 0;
}
