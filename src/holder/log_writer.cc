#include "holder/log_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "sys/file.h"

namespace berth::holder {
namespace {

// Records are collected up to this before they are written: a read of nothing but newlines would
// grow eightyfold.
constexpr std::size_t kBatchBytes = 64U << 10;

}  // namespace

Result<LogWriter> LogWriter::open(const std::string& path) {
  UniqueFd file = TRY(sys::open_file(path, O_RDWR | O_CREAT | O_APPEND, 0640));
  const off_t end = ::lseek(file.get(), 0, SEEK_END);
  if (end < 0) return fail_errno("seek in log {}", path);
  char last = '\n';
  if (end > 0 && ::pread(file.get(), &last, 1, end - 1) < 0) return fail_errno("read log {}", path);
  LogWriter writer(std::move(file), end);
  writer.part_at_end_ = last != '\n';
  return writer;
}

void LogWriter::write(StreamKind stream, std::string_view output, WallTime time) {
  const std::string stamp = format_rfc3339(time);
  Line& line = lines_[stream == StreamKind::kStderr ? 1 : 0];
  while (!output.empty()) {
    // A newline counts as part of the piece that it ends.
    const std::size_t room = kMaxLogPiece - line.begin.size();
    const std::size_t newline = output.substr(0, room).find('\n');
    if (newline != std::string_view::npos) {
      add(stream, line, output.substr(0, newline), true, stamp);
      output.remove_prefix(newline + 1);
    } else if (output.size() >= room) {
      add(stream, line, output.substr(0, room), false, stamp);
      output.remove_prefix(room);
    } else {
      line.begin += output;
      break;
    }
  }
  flush();
}

void LogWriter::finish(WallTime time) {
  const std::string stamp = format_rfc3339(time);
  for (const StreamKind stream : {StreamKind::kStdout, StreamKind::kStderr}) {
    Line& line = lines_[stream == StreamKind::kStderr ? 1 : 0];
    if (!line.begin.empty()) add(stream, line, {}, false, stamp);
  }
  flush();
}

void LogWriter::add(StreamKind stream, Line& line, std::string_view rest, bool ends_line,
                    std::string_view time) {
  if (!line.begin.empty()) {
    line.begin += rest;
    rest = line.begin;
  }
  const bool later_piece = line.cut;
  if (!ends_line && !later_piece) line.time = time;
  append_log_record(batch_, rest, ends_line, stream, later_piece ? line.time : time);
  line.cut = !ends_line;
  line.begin.clear();
  if (batch_.size() >= kBatchBytes) flush();
}

void LogWriter::flush() {
  if (batch_.empty()) return;
  if (part_at_end_) batch_.insert(0, 1, '\n');
  std::size_t done = 0;
  while (done < batch_.size()) {
    const ssize_t n = ::write(file_.get(), batch_.data() + done, batch_.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  if (done > 0) part_at_end_ = false;
  if (done < batch_.size()) done = keep_whole_records(done);
  end_ += static_cast<off_t>(done);
  batch_.clear();
}

std::size_t LogWriter::keep_whole_records(std::size_t written) {
  const std::size_t whole = written == 0 ? 0 : batch_.rfind('\n', written - 1) + 1;
  dropped_records_ += static_cast<std::uint64_t>(
      std::count(batch_.begin() + static_cast<std::ptrdiff_t>(whole), batch_.end(), '\n'));
  if (whole == written) return whole;
  if (::ftruncate(file_.get(), end_ + static_cast<off_t>(whole)) == 0) return whole;
  part_at_end_ = true;
  return written;
}

}  // namespace berth::holder
