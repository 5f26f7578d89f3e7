#include "image/content/content_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <utility>
#include <vector>

#include "base/strong_id.h"
#include "sys/dir.h"
#include "sys/file.h"

namespace berth::image {
namespace {

constexpr std::size_t kCopyBuffer = 64U << 10;

/// A view of a string as a source.
class TextSource final : public ByteSource {
 public:
  explicit TextSource(std::string_view text) : rest_(std::as_bytes(std::span(text))) {}
  Result<std::size_t> read(std::span<std::byte> into) override {
    const std::size_t count = std::min(into.size(), rest_.size());
    std::copy_n(rest_.begin(), count, into.begin());
    rest_ = rest_.subspan(count);
    return count;
  }

 private:
  std::span<const std::byte> rest_;
};

Result<void> check_claim(const BlobClaim& claim, const BlobInfo& found) {
  if (claim.size >= 0 && static_cast<std::uint64_t>(claim.size) != found.size) {
    return fail(ErrorKind::kCorrupt, "blob {} has {} bytes, not the {} it was announced with",
                found.digest.str(), found.size, claim.size);
  }
  if (!claim.digest.empty() && claim.digest != found.digest.str()) {
    return fail(ErrorKind::kCorrupt, "a blob announced as {} is {}", claim.digest,
                found.digest.str());
  }
  return {};
}

std::string name_of(const Digest& digest) {
  return std::string(digest.hex());
}

Error no_such_blob(const Digest& digest) {
  return fail(ErrorKind::kNotFound, "blob {} is not in the store", digest.str());
}

}  // namespace

Result<ContentStore> ContentStore::open(const std::string& root) {
  TRY(sys::make_dirs(root, 0700));
  const UniqueFd top = TRY(sys::open_dir(root));
  TRY(sys::remove_tree(top.get(), "ingest"));
  UniqueFd ingest = TRY(sys::make_dir_at(top.get(), "ingest", 0700));
  const UniqueFd blobs = TRY(sys::make_dir_at(top.get(), "blobs", 0700));
  UniqueFd sha256 = TRY(sys::make_dir_at(blobs.get(), "sha256", 0700));
  UniqueFd sha512 = TRY(sys::make_dir_at(blobs.get(), "sha512", 0700));
  TRY(sys::sync(blobs.get()));
  TRY(sys::sync(top.get()));
  return ContentStore(std::move(ingest), std::move(sha256), std::move(sha512));
}

int ContentStore::directory_of(const Digest& digest) const {
  return (digest.algorithm() == "sha512" ? sha512_ : sha256_).get();
}

Result<BlobInfo> ContentStore::ingest(ByteSource& source, const BlobClaim& claim) {
  const Hasher hash = claim.digest.empty() ? Hasher() : Hasher(TRY(Digest::parse(claim.digest)));
  Writer writer = TRY(Writer::create(*this, hash));
  std::vector<std::byte> buffer(kCopyBuffer);
  for (;;) {
    const std::size_t count = TRY(source.read(buffer).context("store a blob"));
    if (count == 0) return writer.finish(claim);
    TRY(writer.write(std::span(buffer).first(count)));
  }
}

Result<void> ContentStore::adopt(int directory, const std::string& name, const Digest& digest) {
  if (::linkat(directory, name.c_str(), directory_of(digest), name_of(digest).c_str(), 0) != 0 &&
      errno != EEXIST) {
    return fail_errno("store blob {}", digest.str());
  }
  return {};
}

Result<void> ContentStore::sync() const {
  if (::syncfs(sha256_.get()) != 0) return fail_errno("flush the blobs");
  return {};
}

Result<BlobInfo> ContentStore::put(std::string_view bytes) {
  TextSource source(bytes);
  return ingest(source);
}

Result<BlobInfo> ContentStore::put(std::string_view bytes, const Digest& like) {
  Writer writer = TRY(Writer::create(*this, Hasher(like)));
  TRY(writer.write(std::as_bytes(std::span(bytes))));
  return writer.finish();
}

Result<UniqueFd> ContentStore::open_blob(const Digest& digest) const {
  auto fd = sys::open_at(directory_of(digest), name_of(digest), O_RDONLY | O_NOFOLLOW);
  if (!fd.ok() && fd.error().os_errno() == ENOENT) return no_such_blob(digest);
  return fd;
}

Result<std::string> ContentStore::read(const Digest& digest, std::size_t max_bytes) const {
  const UniqueFd fd = TRY(open_blob(digest));
  std::string bytes = TRY(sys::read_all(fd.get(), max_bytes).context("blob " + digest.str()));
  if (!is_digest_of(digest, bytes)) {
    return fail(ErrorKind::kCorrupt, "blob {} is damaged on disk: load the image again",
                digest.str());
  }
  return bytes;
}

Result<BlobInfo> ContentStore::stat(const Digest& digest) const {
  struct stat st{};
  if (::fstatat(directory_of(digest), name_of(digest).c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return no_such_blob(digest);
    return fail_errno("stat blob {}", digest.str());
  }
  return BlobInfo{digest, static_cast<std::uint64_t>(st.st_size)};
}

Result<void> ContentStore::remove(const Digest& digest) {
  if (::unlinkat(directory_of(digest), name_of(digest).c_str(), 0) != 0) {
    if (errno == ENOENT) return no_such_blob(digest);
    return fail_errno("remove blob {}", digest.str());
  }
  return {};
}

Result<std::vector<BlobInfo>> ContentStore::list() const {
  std::vector<BlobInfo> blobs;
  const std::pair<const char*, int> directories[] = {{"sha256:", sha256_.get()},
                                                     {"sha512:", sha512_.get()}};
  for (const auto& [prefix, directory] : directories) {
    for (const auto& entry : TRY(sys::list_dir(directory))) {
      const auto digest = Digest::parse(prefix + entry.name);
      if (entry.type != DT_REG || !digest.ok()) continue;  // not ours
      auto info = stat(*digest);
      if (!info.ok() && info.error().kind() == ErrorKind::kNotFound) continue;  // removed meanwhile
      blobs.push_back(TRY(std::move(info)));
    }
  }
  return blobs;
}

Result<void> ContentStore::verify(const Digest& digest) const {
  sys::FdSource file(TRY(open_blob(digest)));
  HashingSource hashed(file, Hasher(digest));
  std::vector<std::byte> buffer(kCopyBuffer);
  while (TRY(hashed.read(buffer).context("blob " + digest.str())) > 0) {
  }
  if (const Digest found = hashed.finish(); found != digest)
    return fail(ErrorKind::kCorrupt, "its bytes are those of {}", found.str());
  return {};
}

Result<std::string> ContentStore::quarantine(const Digest& digest, int directory) {
  // A worse one may be there already.
  std::string name = fmt::format("{}.{}", digest.hex(), random_hex(8));
  if (::renameat(directory_of(digest), name_of(digest).c_str(), directory, name.c_str()) != 0) {
    if (errno == ENOENT) return no_such_blob(digest);
    return fail_errno("move blob {} aside", digest.str());
  }
  TRY(sys::sync(directory));
  TRY(sys::sync(directory_of(digest)));
  return name;
}

Result<std::vector<std::string>> ContentStore::unfinished() const {
  std::vector<std::string> names;
  for (const auto& entry : TRY(sys::list_dir(ingest_.get()))) names.push_back(entry.name);
  return names;
}

Result<void> ContentStore::remove_unfinished(const std::string& name) {
  return sys::remove_tree(ingest_.get(), name);
}

ContentStore::Writer::Writer(ContentStore& store, std::string name, UniqueFd file,
                             const Hasher& hash)
    : store_(store), name_(std::move(name)), file_(std::move(file)), hash_(hash) {}

ContentStore::Writer::Writer(Writer&& other) noexcept
    : store_(other.store_),
      name_(std::exchange(other.name_, {})),
      file_(std::move(other.file_)),
      hash_(other.hash_),
      size_(other.size_) {}

ContentStore::Writer::~Writer() {
  if (!name_.empty()) ::unlinkat(store_.ingest_.get(), name_.c_str(), 0);
}

Result<ContentStore::Writer> ContentStore::Writer::create(ContentStore& store, const Hasher& hash) {
  std::string name = random_hex(16);
  UniqueFd file = TRY(sys::open_at(store.ingest_.get(), name, O_WRONLY | O_CREAT | O_EXCL, 0600));
  return Writer(store, std::move(name), std::move(file), hash);
}

Result<void> ContentStore::Writer::write(std::span<const std::byte> bytes) {
  size_ += bytes.size();
  if (size_ > kMaxBlobBytes) {
    return fail(ErrorKind::kExhausted, "a blob is larger than {} bytes", kMaxBlobBytes);
  }
  hash_.update(bytes);
  return sys::write_all(file_.get(), bytes).context("store a blob");
}

Result<BlobInfo> ContentStore::Writer::finish(const BlobClaim& claim,
                                              const std::function<void(const Digest&)>& announce) {
  const BlobInfo blob{hash_.finish(), size_};
  TRY(check_claim(claim, blob));
  if (announce) announce(blob.digest);
  TRY(sys::sync(file_.get()).context("store a blob"));
  const int blobs = store_.directory_of(blob.digest);
  if (::renameat(store_.ingest_.get(), name_.c_str(), blobs, name_of(blob.digest).c_str()) != 0) {
    return fail_errno("store blob {}", blob.digest.str());
  }
  name_.clear();
  TRY(sys::sync(blobs));
  return blob;
}

}  // namespace berth::image
