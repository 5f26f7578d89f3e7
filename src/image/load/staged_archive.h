// StagedArchive: an image archive (OCI layout or docker-archive) taken from a stream that can be
// read only once, while what its files mean is often told by the last of them. Every file is put
// aside under a number in a directory of its own, which goes away with the object; names exist only
// in memory. Blobs are verified against their names on the way. One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/byte_source.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "image/archive/decompress.h"
#include "image/content/content_store.h"

namespace berth::image {

struct StagingLimits {
  /// Files and links with different names: an image has a few per layer, an archive of many images
  /// some thousands.
  std::size_t max_files = 100'000;
  /// Entries of any kind, repeated names among them.
  std::size_t max_entries = 400'000;
  /// What all files may take, those that were replaced included; the decompressor has a cap of its
  /// own, which holes in sparse files escape.
  std::uint64_t max_bytes = 64ULL << 30;
};

class StagedArchive {
 public:
  /// Reads `archive` (no compression) to its very end into a new directory below `staging`,
  /// borrowed. kCorrupt for a blob that is not what its name says, kExhausted beyond a limit. Of
  /// files with the same name the last one stays.
  static Result<StagedArchive> read(ByteSource& archive, int staging,
                                    const StagingLimits& limits = {});
  StagedArchive(StagedArchive&& other) noexcept;
  StagedArchive& operator=(StagedArchive&&) = delete;
  ~StagedArchive();

  bool contains(std::string_view path) const;
  /// The file at `path`, links in the archive followed. kInvalid, as said by the archive's own
  /// index, if absent.
  Result<UniqueFd> open(std::string_view path) const;
  /// A small file whole.
  Result<std::string> text(std::string_view path, std::size_t max_bytes) const;
  Result<std::uint64_t> size(std::string_view path) const;
  /// Of the file's first bytes. kUnsupported: one that is not understood.
  Result<Compression> compression(std::string_view path) const;
  /// Leaves the file, whose digest the caller knows, to `content`.
  Result<void> give(std::string_view path, ContentStore& content, const Digest& digest) const;

 private:
  struct File {
    std::string stored;  // its number in the directory; empty: a link
    std::string link;    // where a link leads, from the root of the archive
    std::uint64_t size = 0;
  };

  StagedArchive(int staging, std::string name, UniqueFd dir);
  Result<void> verify_linked_blobs() const;
  Result<void> fill(ByteSource& archive, const StagingLimits& limits);
  Result<void> put(const std::string& path, File file, const StagingLimits& limits);
  Result<const File*> resolve(std::string_view path) const;

  int staging_;
  std::string name_;  // of dir_ in staging_; empty: moved from
  UniqueFd dir_;
  std::map<std::string, File, std::less<>> files_;
};

}  // namespace berth::image
