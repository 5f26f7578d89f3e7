#include "holder/log_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "sys/file.h"
#include "sys/inotify.h"

namespace berth::holder {
namespace {

constexpr std::size_t kReadBytes = 64U << 10;

Result<std::size_t> read_at(int fd, char* into, std::size_t size, off_t offset) {
  for (;;) {
    const ssize_t n = ::pread(fd, into, size, offset);
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) return fail_errno("read the log");
  }
}

Result<off_t> size_of(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return fail_errno("stat the log");
  return status.st_size;
}

// Where the last `count` lines begin. A line without its newline is not one yet.
Result<off_t> tail_offset(int fd, std::size_t count) {
  std::array<char, kReadBytes> block{};
  off_t begin = TRY(size_of(fd));
  std::size_t newlines = 0;
  while (begin > 0) {
    const auto length = std::min<off_t>(begin, kReadBytes);
    begin -= length;
    const std::size_t got = TRY(read_at(fd, block.data(), static_cast<std::size_t>(length), begin));
    for (std::size_t i = got; i > 0; --i) {
      // The newline of the line before the first wanted one.
      if (block[i - 1] == '\n' && newlines++ == count) return begin + static_cast<off_t>(i);
    }
  }
  return off_t{0};
}

}  // namespace

Result<LogReader> LogReader::open(const std::string& path, LogQuery query) {
  LogReader reader(TRY(sys::open_file(path, O_RDONLY)), query);
  if (query.tail) reader.offset_ = TRY(tail_offset(reader.file_.get(), *query.tail));
  return reader;
}

Result<std::vector<LogRecord>> LogReader::read() {
  std::vector<LogRecord> records;
  while (records.empty() && !finished_) {
    if (!TRY(fill())) break;
    std::size_t begin = 0;
    for (;;) {
      const std::size_t end = buffer_.find('\n', begin);
      if (end == std::string::npos) break;
      if (!skipping_ && !finished_)
        take_line(std::string_view(buffer_).substr(begin, end - begin), records);
      skipping_ = false;
      begin = end + 1;
    }
    buffer_.erase(0, begin);
    if (buffer_.size() > kMaxLogRecord) {
      skipping_ = true;
      buffer_.clear();
    }
  }
  return records;
}

// Reads on; false at the end of what is there.
Result<bool> LogReader::fill() {
  if (TRY(size_of(file_.get())) < offset_) {
    offset_ = 0;
    buffer_.clear();
    skipping_ = false;
  }
  const std::size_t before = buffer_.size();
  buffer_.resize(before + kReadBytes);
  auto got = read_at(file_.get(), buffer_.data() + before, kReadBytes, offset_);
  buffer_.resize(before + (got.ok() ? *got : 0));
  const std::size_t length = TRY(std::move(got));
  offset_ += static_cast<off_t>(length);
  return length > 0;
}

void LogReader::take_line(std::string_view line, std::vector<LogRecord>& records) {
  auto record = parse_log_record(line);
  if (!record.ok()) return;
  if (query_.until && record->time > *query_.until) {
    finished_ = true;
    return;
  }
  if (query_.since && record->time < *query_.since) return;
  const bool wanted =
      record->stream == StreamKind::kStderr ? query_.stderr_stream : query_.stdout_stream;
  if (wanted) records.push_back(std::move(*record));
}

Result<LogFollower> LogFollower::open(const std::string& path, LogQuery query) {
  // Watched before it is read, so that no change falls in between.
  UniqueFd watch = TRY(sys::watch_file(path));
  return LogFollower(TRY(LogReader::open(path, query)), std::move(watch));
}

Result<std::vector<LogRecord>> LogFollower::read_more() {
  TRY(sys::drain_file_watch(watch_.get()));
  return reader_.read();
}

}  // namespace berth::holder
