// Any tar as a layer, unpacked for real: nothing beside its directory changes. Needs root, for
// owners and devices; without it there is nothing to see.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "image/archive/apply.h"
#include "sys/dir.h"
#include "sys/temp_dir_testing.h"

namespace {

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

void apply(std::span<const std::uint8_t> tar, berth::image::Whiteouts* whiteouts) {
  const berth::sys::TempDir dir;
  const auto root = berth::sys::make_dir_at(dir.fd(), "root");
  const auto lower = berth::sys::make_dir_at(dir.fd(), "lower");
  if (!root.ok() || !lower.ok()) std::abort();
  BytesSource source(tar);
  const int lowers[] = {lower->get()};
  (void)berth::image::apply_layer({root->get(), lowers, whiteouts}, source,
                                  {.max_entries = 1000, .max_bytes = 16U << 20});
  const auto beside = berth::sys::list_dir(dir.fd());
  const auto below = berth::sys::list_dir(lower->get());
  struct stat st{};
  if (!beside.ok() || beside->size() != 2 || !below.ok() || !below->empty()) std::abort();
  if (::fstat(lower->get(), &st) != 0 || st.st_uid != 0) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (::geteuid() != 0) return 0;
  apply({data, size}, berth::image::overlay_whiteouts().get());
  apply({data, size}, berth::image::deleting_whiteouts().get());
  return 0;
}
