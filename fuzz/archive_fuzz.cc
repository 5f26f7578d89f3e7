// Any bytes as an archive: whatever it claims, names stay inside, data stays within the size that
// was announced, and the stream ends.
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/unique_fd.h"
#include "image/archive/decompress.h"
#include "image/archive/entry_data.h"
#include "image/archive/entry_path.h"
#include "image/archive/tar_reader.h"

namespace {

using berth::image::TarEntry;

constexpr std::size_t kMaxText = 64U << 10;

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

// Data has the size that the header announced, or is refused.
void check_data(berth::image::TarReader& reader, const TarEntry& entry, int file) {
  if (::ftruncate(file, 0) != 0) std::abort();
  if (!berth::image::write_entry_data(reader, entry, file).ok()) return;
  struct stat st{};
  if (::fstat(file, &st) != 0 || static_cast<std::uint64_t>(st.st_size) != entry.size) std::abort();
}

void check_text(berth::image::TarReader& reader, const TarEntry& entry) {
  const auto text = reader.read_text(entry, kMaxText);
  if (text.ok() && (text->size() != entry.size || text->size() > kMaxText)) std::abort();
}

void read_all(berth::ByteSource& source) {
  auto reader = berth::image::TarReader::open(source);
  if (!reader.ok()) return;
  const berth::UniqueFd file(::memfd_create("entry", MFD_CLOEXEC));
  if (!file.valid()) std::abort();
  TarEntry entry;
  bool as_text = false;
  for (auto more = reader->next(entry); more.ok() && *more; more = reader->next(entry)) {
    check_path(entry);
    // Both ways to the data, in turns.
    as_text = !as_text;
    if (as_text)
      check_text(*reader, entry);
    else
      check_data(*reader, entry, file.get());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  BytesSource bytes({data, size});
  const auto plain = berth::image::decompress(bytes, {.max_bytes = 16U << 20});
  if (plain.ok()) read_all(**plain);
  return 0;
}
