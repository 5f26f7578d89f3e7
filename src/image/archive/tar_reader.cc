#include "image/archive/tar_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <sys/stat.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "image/archive/entry_path.h"

namespace berth::image {
namespace {

constexpr std::size_t kReadBuffer = 64U << 10;

/// libarchive converts the names of pax headers to the thread's character set, and normalises them
/// when that is UTF-8. A name is bytes here: in the C locale it keeps them as they are, and says so
/// with a warning.
class CLocale {
 public:
  CLocale() : before_(::uselocale(c_locale())) {}
  ~CLocale() { ::uselocale(before_); }
  CLocale(const CLocale&) = delete;
  CLocale& operator=(const CLocale&) = delete;

 private:
  static locale_t c_locale() {
    static const locale_t locale = ::newlocale(LC_ALL_MASK, "C", nullptr);
    return locale;
  }
  locale_t before_;
};

struct FreeArchive {
  void operator()(archive* a) const { archive_read_free(a); }
};

}  // namespace

struct TarReader::State {
  explicit State(ByteSource& from) : source(from), buffer(kReadBuffer) {}

  /// archive_read_callback
  static la_ssize_t read(archive* a, void* self, const void** bytes) {
    auto& state = *static_cast<State*>(self);
    auto got = state.source.read(state.buffer);
    if (!got.ok()) {
      state.source_error = std::move(got).error();
      archive_set_error(a, EIO, "source failed");
      return -1;
    }
    *bytes = state.buffer.data();
    return static_cast<la_ssize_t>(*got);
  }

  Error failure() {
    if (source_error) return *source_error;
    if (archive_errno(reader.get()) == ENOMEM) {
      return fail(ErrorKind::kExhausted, "the tar archive asks for too much memory");
    }
    const char* text = archive_error_string(reader.get());
    return fail(ErrorKind::kCorrupt, "the tar archive is damaged: {}",
                text == nullptr ? "unreadable" : text);
  }

  ByteSource& source;
  std::vector<std::byte> buffer;
  std::optional<Error> source_error;
  std::unique_ptr<archive, FreeArchive> reader{archive_read_new()};
};

TarReader::TarReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
TarReader::TarReader(TarReader&&) noexcept = default;
TarReader::~TarReader() = default;

Result<TarReader> TarReader::open(ByteSource& source) {
  const CLocale locale;
  auto state = std::make_unique<State>(source);
  archive* reader = state->reader.get();
  if (reader == nullptr) return fail(ErrorKind::kExhausted, "no memory to read a tar archive");
  archive_read_support_format_tar(reader);
  archive_read_support_format_empty(reader);
  if (archive_read_open(reader, state.get(), nullptr, &State::read, nullptr) != ARCHIVE_OK) {
    return state->failure();
  }
  return TarReader(std::move(state));
}

namespace {

Result<TarEntry::Kind> kind_of(archive_entry* header) {
  if (archive_entry_hardlink(header) != nullptr) return TarEntry::Kind::kHardlink;
  switch (archive_entry_filetype(header)) {
    case AE_IFREG:
      return TarEntry::Kind::kFile;
    case AE_IFDIR:
      return TarEntry::Kind::kDirectory;
    case AE_IFLNK:
      return TarEntry::Kind::kSymlink;
    case AE_IFCHR:
      return TarEntry::Kind::kCharDevice;
    case AE_IFBLK:
      return TarEntry::Kind::kBlockDevice;
    case AE_IFIFO:
      return TarEntry::Kind::kFifo;
    default:
      return fail(ErrorKind::kInvalid, "it is of an unknown type");
  }
}

template <typename Id>
Result<Id> checked_id(la_int64_t value, const char* what) {
  // The largest value means "leave as it is" to chown(2).
  if (value < 0 || value >= std::numeric_limits<Id>::max()) {
    return fail(ErrorKind::kInvalid, "{} {} is out of range", what, value);
  }
  return static_cast<Id>(value);
}

std::string text_or_empty(const char* text) {
  return text == nullptr ? "" : text;
}

Result<void> fill(TarEntry& entry, archive_entry* header) {
  entry.kind = TRY(kind_of(header));
  entry.link =
      text_or_empty(entry.kind == TarEntry::Kind::kHardlink ? archive_entry_hardlink(header)
                                                            : archive_entry_symlink(header));
  entry.mode = archive_entry_perm(header);
  entry.uid = TRY(checked_id<uid_t>(archive_entry_uid(header), "uid"));
  entry.gid = TRY(checked_id<gid_t>(archive_entry_gid(header), "gid"));
  const la_int64_t size = archive_entry_size(header);
  if (size < 0) return fail(ErrorKind::kInvalid, "its size is negative");
  entry.size = static_cast<std::uint64_t>(size);
  const long nanoseconds = archive_entry_mtime_nsec(header);
  entry.mtime = {archive_entry_mtime(header), std::clamp(nanoseconds, 0L, 999'999'999L)};
  entry.device_major = static_cast<unsigned int>(archive_entry_rdevmajor(header));
  entry.device_minor = static_cast<unsigned int>(archive_entry_rdevminor(header));
  entry.xattrs.clear();
  archive_entry_xattr_reset(header);
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t length = 0;
  while (archive_entry_xattr_next(header, &name, &value, &length) == ARCHIVE_OK) {
    entry.xattrs.emplace_back(name, std::string(static_cast<const char*>(value), length));
  }
  return {};
}

}  // namespace

Result<bool> TarReader::next(TarEntry& entry) {
  const CLocale locale;
  archive_entry* header = nullptr;
  int status = ARCHIVE_RETRY;
  while (status == ARCHIVE_RETRY) status = archive_read_next_header(state_->reader.get(), &header);
  if (status == ARCHIVE_EOF) return false;
  if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return state_->failure();
  const char* path = archive_entry_pathname(header);
  if (path == nullptr) return fail(ErrorKind::kInvalid, "an entry has no name");
  entry.path = path;
  TRY(fill(entry, header).context("entry " + quote_name(entry.path)));
  return true;
}

Result<bool> TarReader::next_block(TarBlock& block) {
  const CLocale locale;
  const void* data = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  const int status = archive_read_data_block(state_->reader.get(), &data, &size, &offset);
  if (status == ARCHIVE_EOF) return false;
  if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return state_->failure();
  if (offset < 0) return fail(ErrorKind::kInvalid, "a sparse file has data before its start");
  block.data = std::span(static_cast<const std::byte*>(data), size);
  block.offset = static_cast<std::uint64_t>(offset);
  return true;
}

Result<std::string> TarReader::read_text(const TarEntry& entry, std::size_t max_bytes) {
  if (entry.size > max_bytes) {
    return fail(ErrorKind::kExhausted, "entry {} has more than {} bytes", quote_name(entry.path),
                max_bytes);
  }
  std::string text(entry.size, '\0');
  TarBlock block;
  while (TRY(next_block(block))) {
    if (block.offset > text.size() || block.data.size() > text.size() - block.offset) {
      return fail(ErrorKind::kCorrupt, "entry {} has more data than it says",
                  quote_name(entry.path));
    }
    std::transform(block.data.begin(), block.data.end(),
                   text.begin() + static_cast<std::ptrdiff_t>(block.offset),
                   [](std::byte b) { return static_cast<char>(b); });
  }
  return text;
}

}  // namespace berth::image
