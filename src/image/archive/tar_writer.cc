#include "image/archive/tar_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace berth::image {
namespace {

constexpr std::size_t kBlock = 512;
/// What a sink is given at once.
constexpr std::size_t kBuffer = 128U << 10;

/// Where the fields of a header are, POSIX.1-2017 pax(1), "ustar Interchange Format".
struct Field {
  std::size_t at;
  std::size_t size;
};
constexpr Field kName{0, 100};
constexpr Field kMode{100, 8};
constexpr Field kUid{108, 8};
constexpr Field kGid{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kTime{136, 12};
constexpr Field kSum{148, 8};
constexpr Field kType{156, 1};
constexpr Field kLink{157, 100};
constexpr Field kMagic{257, 8};
constexpr Field kMajor{329, 8};
constexpr Field kMinor{337, 8};

constexpr std::string_view kUstar{
    "ustar\0"
    "00",
    8};
/// Of the entry that has an entry's records: nobody unpacks it.
constexpr std::string_view kRecordsName = "PaxHeaders.0/entry";

class Header {
 public:
  Header(char type, std::string_view name, std::string_view link) {
    text(kName, name);
    text(kLink, link);
    block_[kType.at] = type;
    text(kMagic, kUstar);
  }

  /// Octal digits and a NUL. What does not fit is in a record; here stands the largest that does.
  void number(Field field, std::uint64_t value) {
    const std::uint64_t largest = (std::uint64_t{1} << (3 * (field.size - 1))) - 1;
    const std::string digits = fmt::format("{:0{}o}", std::min(value, largest), field.size - 1);
    text(field, digits);
  }

  std::string_view finish() {
    std::fill_n(block_.begin() + kSum.at, kSum.size, ' ');
    std::uint64_t sum = 0;
    for (const char c : block_) sum += static_cast<unsigned char>(c);
    text({kSum.at, kSum.size - 1}, fmt::format("{:06o}", sum) + std::string(1, '\0'));
    return {block_.data(), block_.size()};
  }

 private:
  void text(Field field, std::string_view text) {
    std::memcpy(block_.data() + field.at, text.data(), std::min(text.size(), field.size));
  }

  std::array<char, kBlock> block_{};
};

bool fits_number(Field field, std::uint64_t value) {
  return value < std::uint64_t{1} << (3 * (field.size - 1));
}

bool fits_text(Field field, std::string_view text) {
  const auto ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  return text.size() <= field.size && std::ranges::all_of(text, ascii);
}

/// "LENGTH KEY=VALUE\n", where the length counts its own digits.
void add_record(std::string& records, std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest + 1;
  while (fmt::formatted_size("{}", length) + rest != length)
    length = fmt::formatted_size("{}", length) + rest;
  records += fmt::format("{} {}=", length, key);
  records += value;
  records += '\n';
}

/// "12.5", "-0.25": no digits that say nothing.
std::string decimal(const timespec& time) {
  std::int64_t seconds = time.tv_sec;
  std::int64_t fraction = time.tv_nsec;
  const bool negative = seconds < 0;
  if (negative && fraction > 0) {
    ++seconds;
    fraction = 1'000'000'000 - fraction;
  }
  std::string text = fmt::format("{}{}", negative ? "-" : "", negative ? -seconds : seconds);
  if (fraction == 0) return text;
  text += fmt::format(".{:09}", fraction);
  text.resize(text.find_last_not_of('0') + 1);
  return text;
}

char type_of(TarEntry::Kind kind) {
  switch (kind) {
    case TarEntry::Kind::kFile:
      return '0';
    case TarEntry::Kind::kHardlink:
      return '1';
    case TarEntry::Kind::kSymlink:
      return '2';
    case TarEntry::Kind::kCharDevice:
      return '3';
    case TarEntry::Kind::kBlockDevice:
      return '4';
    case TarEntry::Kind::kDirectory:
      return '5';
    case TarEntry::Kind::kFifo:
      return '6';
  }
  return '0';
}

std::string records_of(const TarEntry& entry, std::string_view path, std::uint64_t size) {
  std::string records;
  if (!fits_text(kName, path)) add_record(records, "path", path);
  if (!fits_text(kLink, entry.link)) add_record(records, "linkpath", entry.link);
  if (!fits_number(kSize, size)) add_record(records, "size", std::to_string(size));
  if (!fits_number(kUid, entry.uid)) add_record(records, "uid", std::to_string(entry.uid));
  if (!fits_number(kGid, entry.gid)) add_record(records, "gid", std::to_string(entry.gid));
  if (entry.mtime.tv_nsec != 0 || entry.mtime.tv_sec < 0 ||
      !fits_number(kTime, static_cast<std::uint64_t>(entry.mtime.tv_sec))) {
    add_record(records, "mtime", decimal(entry.mtime));
  }
  for (const auto& [name, value] : entry.xattrs) {
    if (name.find('=') == std::string::npos) add_record(records, "SCHILY.xattr." + name, value);
  }
  return records;
}

}  // namespace

TarWriter::TarWriter(ByteSink& sink) : sink_(sink) {
  buffer_.reserve(kBuffer);
}

Result<void> TarWriter::flush() {
  if (buffer_.empty()) return {};
  TRY(sink_.write(buffer_));
  buffer_.clear();
  return {};
}

Result<void> TarWriter::put(std::string_view bytes) {
  written_ += bytes.size();
  while (!bytes.empty()) {
    const std::size_t count = std::min(bytes.size(), kBuffer - buffer_.size());
    const auto* data = reinterpret_cast<const std::byte*>(bytes.data());
    buffer_.insert(buffer_.end(), data, data + count);
    bytes.remove_prefix(count);
    if (buffer_.size() == kBuffer) TRY(flush());
  }
  return {};
}

Result<void> TarWriter::pad() {
  static constexpr std::array<char, kBlock> kZeros{};
  const std::size_t over = written_ % kBlock;
  return over == 0 ? Result<void>() : put({kZeros.data(), kBlock - over});
}

Result<void> TarWriter::begin(const TarEntry& entry) {
  if (missing_ != 0)
    return fail(ErrorKind::kInternal, "a file of an archive lacks {} bytes", missing_);
  TRY(pad());
  std::string path = entry.path;
  if (entry.kind == TarEntry::Kind::kDirectory && !path.ends_with('/')) path += '/';
  const std::uint64_t size = entry.kind == TarEntry::Kind::kFile ? entry.size : 0;
  if (const std::string records = records_of(entry, path, size); !records.empty()) {
    Header header('x', kRecordsName, "");
    header.number(kMode, 0644);
    header.number(kUid, 0);
    header.number(kGid, 0);
    header.number(kSize, records.size());
    header.number(kTime, 0);
    TRY(put(header.finish()));
    TRY(put(records));
    TRY(pad());
  }
  Header header(type_of(entry.kind), path, entry.link);
  header.number(kMode, entry.mode);
  header.number(kUid, entry.uid);
  header.number(kGid, entry.gid);
  header.number(kSize, size);
  header.number(kTime, static_cast<std::uint64_t>(std::max<std::int64_t>(entry.mtime.tv_sec, 0)));
  header.number(kMajor, entry.device_major);
  header.number(kMinor, entry.device_minor);
  TRY(put(header.finish()));
  missing_ = size;
  return {};
}

Result<void> TarWriter::write(std::span<const std::byte> data) {
  if (data.size() > missing_)
    return fail(ErrorKind::kInternal, "a file of an archive has more bytes than it was to have");
  missing_ -= data.size();
  return put({reinterpret_cast<const char*>(data.data()), data.size()});
}

Result<void> TarWriter::fill_up() {
  static constexpr std::array<std::byte, 16U << 10> kZeros{};
  while (missing_ > 0)
    TRY(write(std::span(kZeros).first(std::min<std::uint64_t>(kZeros.size(), missing_))));
  return {};
}

Result<void> TarWriter::finish() {
  if (missing_ != 0)
    return fail(ErrorKind::kInternal, "a file of an archive lacks {} bytes", missing_);
  TRY(pad());
  const std::string end(2 * kBlock, '\0');
  TRY(put(end));
  return flush();
}

}  // namespace berth::image
