// Any tar as a layer, unpacked for real, and written as one file: nothing beside its directory
// changes. Needs root, for owners and devices; without it there is nothing to see.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "image/archive/apply.h"
#include "image/erofs/layer_file.h"
#include "sys/dir.h"
#include "sys/file.h"
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

/// What a layer may find below it: names as short as those that a fuzzer tries.
void fill(int dir) {
  const auto d = berth::sys::make_dir_at(dir, "d");
  if (!d.ok() || !berth::sys::make_dir_at(d->get(), "e").ok()) std::abort();
  if (!berth::sys::write_file_atomic(dir, "f", "x").ok()) std::abort();
  if (!berth::sys::write_file_atomic(d->get(), "f", "x").ok()) std::abort();
  if (::symlinkat("d", dir, "l") != 0 || ::symlinkat("../..", d->get(), "l") != 0) std::abort();
}

/// Nodes of a tree, each by its name, kind, links and owner.
class Listing final : public berth::sys::TreeVisitor {
 public:
  berth::Result<void> file(int dirfd, const std::string& name, unsigned char) override {
    struct stat st{};
    if (::fstatat(dirfd, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) std::abort();
    text += fmt::format("{} {} {} {} {}\n", name, st.st_mode, st.st_nlink, st.st_uid, st.st_size);
    return {};
  }
  berth::Result<void> enter(int dirfd, const std::string& name, int) override {
    return file(dirfd, name, 0);
  }
  berth::Result<void> leave(int, const std::string&) override { return {}; }
  std::string text;
};

std::string listing(int dir) {
  Listing listing;
  if (!berth::sys::walk_tree(dir, listing).ok()) std::abort();
  return listing.text;
}

void apply(std::span<const std::uint8_t> tar, berth::image::Whiteouts* whiteouts, bool copied) {
  const berth::sys::TempDir dir;
  const auto root = berth::sys::make_dir_at(dir.fd(), "root");
  const auto lower = berth::sys::make_dir_at(dir.fd(), "lower");
  if (!root.ok() || !lower.ok()) std::abort();
  fill(lower->get());
  if (copied) fill(root->get());
  const std::string before = listing(lower->get());
  BytesSource source(tar);
  const int lowers[] = {lower->get()};
  (void)berth::image::apply_layer(
      {root->get(), copied ? std::span<const int>() : std::span<const int>(lowers), whiteouts},
      source, {.max_entries = 1000, .max_bytes = 16U << 20});
  const auto beside = berth::sys::list_dir(dir.fd());
  struct stat st{};
  if (!beside.ok() || beside->size() != 2 || listing(lower->get()) != before) std::abort();
  if (::fstat(lower->get(), &st) != 0 || st.st_uid != 0) std::abort();
}

/// The same layer as one file, twice: the two are equal.
void seal(std::span<const std::uint8_t> tar) {
  const berth::sys::TempDir dir;
  const auto lower = berth::sys::make_dir_at(dir.fd(), "lower");
  if (!lower.ok()) std::abort();
  fill(lower->get());
  std::string files[2];
  for (std::string& file : files) {
    const auto fd = berth::sys::open_at(dir.fd(), "layer", O_RDWR | O_CREAT | O_TRUNC, 0600);
    BytesSource source(tar);
    const auto written = berth::image::erofs::write_archive(
        source, lower->get(), fd->get(), {.max_entries = 1000, .max_bytes = 16U << 20}, 1U << 20);
    if (written.ok()) file = berth::sys::read_file_at(dir.fd(), "layer", 64U << 20).value_or("?");
  }
  if (files[0] != files[1]) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (::geteuid() != 0) return 0;
  apply({data, size}, berth::image::overlay_whiteouts().get(), false);
  apply({data, size}, berth::image::deleting_whiteouts().get(), true);
  seal({data, size});
  return 0;
}
