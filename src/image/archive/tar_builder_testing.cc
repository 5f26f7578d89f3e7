#include "image/archive/tar_builder_testing.h"

#include <archive.h>
#include <archive_entry.h>
#include <isa-l/igzip_lib.h>
#include <sys/stat.h>
#include <zstd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace berth::image {
namespace {

la_ssize_t append(archive*, void* bytes, const void* data, std::size_t size) {
  static_cast<std::string*>(bytes)->append(static_cast<const char*>(data), size);
  return static_cast<la_ssize_t>(size);
}

struct FreeEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
using Entry = std::unique_ptr<archive_entry, FreeEntry>;

Entry make_entry(std::string_view path, mode_t type, const NodeOptions& options) {
  Entry entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), std::string(path).c_str());
  archive_entry_set_mode(entry.get(), type | options.mode);
  archive_entry_set_uid(entry.get(), options.uid);
  archive_entry_set_gid(entry.get(), options.gid);
  archive_entry_set_mtime(entry.get(), options.mtime, 0);
  for (const auto& [name, value] : options.xattrs) {
    archive_entry_xattr_add_entry(entry.get(), name.c_str(), value.data(), value.size());
  }
  return entry;
}

}  // namespace

void TarBuilder::Free::operator()(archive* a) const {
  archive_write_free(a);
}

TarBuilder::TarBuilder() : writer_(archive_write_new()) {
  archive_write_set_format_pax_restricted(writer_.get());
  archive_write_set_bytes_per_block(writer_.get(), 0);
  archive_write_open(writer_.get(), &bytes_, nullptr, &append, nullptr);
}
TarBuilder::~TarBuilder() = default;

void TarBuilder::write(archive_entry* entry, std::string_view content) {
  if (archive_write_header(writer_.get(), entry) < ARCHIVE_WARN) std::abort();
  if (!content.empty()) archive_write_data(writer_.get(), content.data(), content.size());
}

TarBuilder& TarBuilder::directory(std::string_view path, NodeOptions options) {
  write(make_entry(path, S_IFDIR, options).get(), {});
  return *this;
}

TarBuilder& TarBuilder::file(std::string_view path, std::string_view content, NodeOptions options) {
  const Entry entry = make_entry(path, S_IFREG, options);
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
  write(entry.get(), content);
  return *this;
}

TarBuilder& TarBuilder::sparse(std::string_view path, std::int64_t size, std::string_view tail) {
  const auto length = static_cast<std::int64_t>(tail.size());
  const Entry entry = make_entry(path, S_IFREG, {});
  archive_entry_set_size(entry.get(), size);
  archive_entry_sparse_add_entry(entry.get(), size - length, length);
  if (archive_write_header(writer_.get(), entry.get()) < ARCHIVE_WARN) std::abort();
  // The writer takes the holes as zeros and drops them.
  constexpr std::int64_t kStep = 1 << 20;
  const std::string zeros(kStep, '\0');
  for (std::int64_t left = size - length; left > 0; left -= kStep) {
    archive_write_data(writer_.get(), zeros.data(),
                       static_cast<std::size_t>(std::min(left, kStep)));
  }
  archive_write_data(writer_.get(), tail.data(), tail.size());
  return *this;
}

TarBuilder& TarBuilder::symlink(std::string_view path, std::string_view target,
                                NodeOptions options) {
  const Entry entry = make_entry(path, S_IFLNK, options);
  archive_entry_set_symlink(entry.get(), std::string(target).c_str());
  write(entry.get(), {});
  return *this;
}

TarBuilder& TarBuilder::hardlink(std::string_view path, std::string_view target) {
  const Entry entry = make_entry(path, S_IFREG, {});
  archive_entry_set_hardlink(entry.get(), std::string(target).c_str());
  write(entry.get(), {});
  return *this;
}

TarBuilder& TarBuilder::device(std::string_view path, mode_t type, unsigned major, unsigned minor) {
  const Entry entry = make_entry(path, type, {});
  archive_entry_set_rdevmajor(entry.get(), major);
  archive_entry_set_rdevminor(entry.get(), minor);
  write(entry.get(), {});
  return *this;
}

TarBuilder& TarBuilder::fifo(std::string_view path) {
  write(make_entry(path, S_IFIFO, {}).get(), {});
  return *this;
}

std::string TarBuilder::finish() {
  archive_write_close(writer_.get());
  return std::move(bytes_);
}

std::string gzip(std::string_view bytes) {
  isal_zstream stream;
  isal_deflate_init(&stream);
  std::string copy(bytes);
  std::string out(bytes.size() + bytes.size() / 8 + 4096, '\0');
  stream.gzip_flag = IGZIP_GZIP;
  stream.end_of_stream = 1;
  stream.next_in = reinterpret_cast<std::uint8_t*>(copy.data());
  stream.avail_in = static_cast<std::uint32_t>(copy.size());
  stream.next_out = reinterpret_cast<std::uint8_t*>(out.data());
  stream.avail_out = static_cast<std::uint32_t>(out.size());
  if (isal_deflate(&stream) != COMP_OK || stream.avail_in != 0) std::abort();
  out.resize(stream.total_out);
  return out;
}

std::string zstd(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 3));
  return out;
}

Result<std::size_t> StringSource::read(std::span<std::byte> into) {
  const std::size_t count = std::min({into.size(), chunk_, bytes_.size() - at_});
  std::memcpy(into.data(), bytes_.data() + at_, count);
  at_ += count;
  return count;
}

}  // namespace berth::image
