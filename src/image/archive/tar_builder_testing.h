// TarBuilder: archives for tests, among them those that no honest program writes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_source.h"

struct archive;
struct archive_entry;

namespace berth::image {

struct NodeOptions {
  mode_t mode = 0644;
  std::int64_t uid = 0;
  std::int64_t gid = 0;
  std::int64_t mtime = 1'000'000'000;
  std::vector<std::pair<std::string, std::string>> xattrs = {};
};

class TarBuilder {
 public:
  TarBuilder();
  ~TarBuilder();
  TarBuilder(const TarBuilder&) = delete;
  TarBuilder& operator=(const TarBuilder&) = delete;

  TarBuilder& directory(std::string_view path, NodeOptions options = {.mode = 0755});
  TarBuilder& file(std::string_view path, std::string_view content, NodeOptions options = {});
  /// `size` bytes of hole with `tail` as the last ones.
  TarBuilder& sparse(std::string_view path, std::int64_t size, std::string_view tail);
  TarBuilder& symlink(std::string_view path, std::string_view target, NodeOptions options = {});
  TarBuilder& hardlink(std::string_view path, std::string_view target);
  TarBuilder& device(std::string_view path, mode_t type, unsigned major, unsigned minor);
  TarBuilder& fifo(std::string_view path);

  /// The archive; the builder is spent.
  std::string finish();

 private:
  void write(archive_entry* entry, std::string_view content);
  struct Free {
    void operator()(archive* a) const;
  };
  std::unique_ptr<archive, Free> writer_;
  std::string bytes_;
};

std::string gzip(std::string_view bytes);
std::string zstd(std::string_view bytes);

/// A source over bytes that it owns, in reads of at most `chunk`.
class StringSource final : public ByteSource {
 public:
  explicit StringSource(std::string bytes, std::size_t chunk = SIZE_MAX)
      : bytes_(std::move(bytes)), chunk_(chunk) {}
  Result<std::size_t> read(std::span<std::byte> into) override;

 private:
  std::string bytes_;
  std::size_t chunk_;
  std::size_t at_ = 0;
};

}  // namespace berth::image
