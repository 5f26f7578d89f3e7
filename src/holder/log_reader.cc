#include "holder/log_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "sys/file.h"
#include "sys/inotify.h"

namespace berth::holder {
namespace {

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

}  // namespace

Result<LogReader> LogReader::open(const std::string& path, LogQuery query) {
  LogReader reader(TRY(sys::open_file(path, O_RDONLY)), query);
  if (query.tail) reader.search_ = TailSearch{.begin = TRY(size_of(reader.file_.get()))};
  return reader;
}

Result<LogPart> LogReader::read() {
  LogPart part;
  if (search_) {
    TRY(search_back(query_.tail.value_or(0)));
    return part;
  }
  const bool more = !finished_ && TRY(fill());
  if (more) take_lines(part.records);
  part.at_end = !more || finished_;
  // Whoever follows a log that is quiet holds nothing for it.
  if (part.at_end) buffer_.shrink_to_fit();
  return part;
}

// One block further towards the start. A line without its newline is not one yet.
Result<void> LogReader::search_back(std::size_t count) {
  const auto length = std::min<off_t>(search_->begin, kMaxReadBytes);
  const off_t begin = search_->begin - length;
  // On the heap, and gone after the call: on the event loop's stack it would stay in memory.
  const auto block = std::make_unique_for_overwrite<char[]>(kMaxReadBytes);
  const std::size_t got =
      TRY(read_at(file_.get(), block.get(), static_cast<std::size_t>(length), begin));
  for (std::size_t i = got; i > 0; --i) {
    // The newline of the line before the first wanted one.
    if (block[i - 1] != '\n' || search_->newlines++ != count) continue;
    offset_ = begin + static_cast<off_t>(i);
    search_.reset();
    return {};
  }
  search_->begin = begin;
  if (begin == 0) search_.reset();
  return {};
}

void LogReader::take_lines(std::vector<LogRecord>& records) {
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

// Reads on; false at the end of what is there.
Result<bool> LogReader::fill() {
  if (TRY(size_of(file_.get())) < offset_) {
    offset_ = 0;
    buffer_.clear();
    skipping_ = false;
  }
  const std::size_t before = buffer_.size();
  buffer_.resize(before + kMaxReadBytes);
  auto got = read_at(file_.get(), buffer_.data() + before, kMaxReadBytes, offset_);
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

Result<LogPart> LogFollower::read_more() {
  TRY(sys::drain_file_watch(watch_.get()));
  return reader_.read();
}

}  // namespace berth::holder
