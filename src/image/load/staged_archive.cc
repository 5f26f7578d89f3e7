#include "image/load/staged_archive.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "base/strong_id.h"
#include "image/archive/decompress.h"
#include "image/archive/entry_data.h"
#include "image/archive/entry_path.h"
#include "image/archive/tar_reader.h"
#include "image/content/hasher.h"
#include "sys/dir.h"
#include "sys/file.h"

namespace berth::image {
namespace {

/// Links in an archive that lead to links.
constexpr int kMaxLinks = 8;
/// The digest that a path is the name of: "blobs/sha256/<hex>".
std::optional<Digest> digest_in(std::string_view path) {
  constexpr std::string_view kBlobs = "blobs/";
  if (!path.starts_with(kBlobs)) return std::nullopt;
  std::string text(path.substr(kBlobs.size()));
  std::ranges::replace(text, '/', ':');
  const auto digest = Digest::parse(text);
  return digest.ok() ? std::optional(*digest) : std::nullopt;
}

/// Hashes what was staged: the data of a sparse file comes with gaps, so the file is what counts.
Result<void> verify_blob(const Digest& digest, int dir, const std::string& stored) {
  sys::FdSource file(TRY(sys::open_at(dir, stored, O_RDONLY)));
  HashingSource hashed(file, Hasher(digest));
  std::vector<std::byte> buffer(64U << 10);
  while (TRY(hashed.read(buffer)) > 0) {
  }
  if (const Digest found = hashed.finish(); found != digest)
    return fail(ErrorKind::kCorrupt, "blob {} has the digest {}", digest.str(), found.str());
  return {};
}

}  // namespace

StagedArchive::StagedArchive(int staging, std::string name, UniqueFd dir)
    : staging_(staging), name_(std::move(name)), dir_(std::move(dir)) {}

StagedArchive::StagedArchive(StagedArchive&& other) noexcept
    : staging_(other.staging_),
      name_(std::exchange(other.name_, {})),
      dir_(std::move(other.dir_)),
      files_(std::move(other.files_)) {}

StagedArchive::~StagedArchive() {
  // What cannot be removed now is when the service opens.
  if (!name_.empty()) (void)sys::remove_tree(staging_, name_);
}

Result<StagedArchive> StagedArchive::read(ByteSource& archive, int staging,
                                          const StagingLimits& limits) {
  std::string name = random_hex(16);
  UniqueFd dir = TRY(sys::make_dir_at(staging, name, 0700));
  StagedArchive staged(staging, std::move(name), std::move(dir));
  TRY(staged.fill(archive, limits));
  return staged;
}

Result<void> StagedArchive::fill(ByteSource& archive, const StagingLimits& limits) {
  TarReader reader = TRY(TarReader::open(archive));
  TarEntry entry;
  std::uint64_t total = 0;
  std::uint64_t entries = 0;
  while (TRY(reader.next(entry))) {
    if (++entries > limits.max_entries) {
      return fail(ErrorKind::kExhausted, "the archive has more than {} entries",
                  limits.max_entries);
    }
    const std::string path = TRY(clean_entry_path(entry.path));
    File file;
    switch (entry.kind) {
      case TarEntry::Kind::kFile: {
        if (entry.size > limits.max_bytes - total) {
          return fail(ErrorKind::kExhausted, "the archive has more than {} bytes",
                      limits.max_bytes);
        }
        total += entry.size;
        file.stored = std::to_string(entries);
        file.size = entry.size;
        const UniqueFd fd =
            TRY(sys::open_at(dir_.get(), file.stored, O_WRONLY | O_CREAT | O_EXCL, 0600));
        TRY(write_entry_data(reader, entry, fd.get()).context("entry " + quote_name(entry.path)));
        if (const auto digest = digest_in(path)) TRY(verify_blob(*digest, dir_.get(), file.stored));
        break;
      }
      case TarEntry::Kind::kSymlink: {
        const bool absolute = entry.link.starts_with('/');
        const auto parent = absolute ? std::string_view() : split_path(path).parent;
        file.link = TRY(clean_entry_path(fmt::format("{}/{}", parent, entry.link)));
        break;
      }
      case TarEntry::Kind::kHardlink:
        file.link = TRY(clean_entry_path(entry.link));
        break;
      default:
        continue;
    }
    TRY(put(path, std::move(file), limits));
  }
  TRY(drain(archive));
  return verify_linked_blobs();
}

// A blob may be a link to a file of another name, which nobody has verified yet.
Result<void> StagedArchive::verify_linked_blobs() const {
  for (const auto& [path, file] : files_) {
    const auto digest = digest_in(path);
    if (!digest || !file.stored.empty()) continue;
    const auto target = resolve(path);
    if (target.ok()) TRY(verify_blob(*digest, dir_.get(), (*target)->stored));
  }
  return {};
}

Result<void> StagedArchive::put(const std::string& path, File file, const StagingLimits& limits) {
  File& slot = files_[path];
  // A file that nothing names any more would only take space, and there can be any number of them.
  if (!slot.stored.empty() && ::unlinkat(dir_.get(), slot.stored.c_str(), 0) != 0) {
    return fail_errno("remove a file that {} replaces", quote_name(path));
  }
  slot = std::move(file);
  if (files_.size() <= limits.max_files) return {};
  return fail(ErrorKind::kExhausted, "the archive has more than {} files", limits.max_files);
}

Result<const StagedArchive::File*> StagedArchive::resolve(std::string_view path) const {
  std::string at = TRY(clean_entry_path(path));
  for (int links = 0; links < kMaxLinks; ++links) {
    const auto found = files_.find(at);
    if (found == files_.end()) break;
    if (!found->second.stored.empty()) return &found->second;
    at = found->second.link;
  }
  return fail(ErrorKind::kInvalid, "the archive names a file {} that it does not have",
              quote_name(path));
}

bool StagedArchive::contains(std::string_view path) const {
  return resolve(path).ok();
}

Result<UniqueFd> StagedArchive::open(std::string_view path) const {
  return sys::open_at(dir_.get(), TRY(resolve(path))->stored, O_RDONLY);
}

Result<std::uint64_t> StagedArchive::size(std::string_view path) const {
  return TRY(resolve(path))->size;
}

Result<Compression> StagedArchive::compression(std::string_view path) const {
  const UniqueFd fd = TRY(open(path));
  std::byte head[6];
  const ssize_t count = ::pread(fd.get(), head, sizeof head, 0);
  if (count < 0) return fail_errno("read {}", quote_name(path));
  return compression_of(std::span(head).first(static_cast<std::size_t>(count)));
}

Result<void> StagedArchive::give(std::string_view path, ContentStore& content,
                                 const Digest& digest) const {
  return content.adopt(dir_.get(), TRY(resolve(path))->stored, digest);
}

Result<std::string> StagedArchive::text(std::string_view path, std::size_t max_bytes) const {
  const UniqueFd fd = TRY(open(path));
  return sys::read_all(fd.get(), max_bytes).context(quote_name(path));
}

}  // namespace berth::image
