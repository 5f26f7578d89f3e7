// Reading a json-file log while it is being written, or after: LogReader selects records,
// LogFollower also tells when there may be more. Calls block on the disk; each object is for one
// thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "holder/log_record.h"

namespace berth::holder {

/// As `docker logs` selects: the last `tail` records of the file, of these the ones of the wanted
/// streams between `since` and `until`, both included.
struct LogQuery {
  bool stdout_stream = true;
  bool stderr_stream = true;
  std::optional<WallTime> since = {};
  std::optional<WallTime> until = {};
  std::optional<std::size_t> tail = {};  // empty: all
};

/// What one call has found.
struct LogPart {
  std::vector<LogRecord> records;  // may be empty although there is more to read
  bool at_end = false;             // everything that is there has been read
};

class LogReader {
 public:
  /// No call reads more of the file than this: the time between two calls is the caller's, whatever
  /// the size of the log and however little of it is wanted.
  static constexpr std::size_t kMaxReadBytes = 64U << 10;

  /// kNotFound: there is no log (yet): nothing has been started.
  static Result<LogReader> open(const std::string& path, LogQuery query);

  /// Goes on by kMaxReadBytes. After the end a later call finds what has been added. What is no
  /// record is skipped, and a record that is being written is left for later. A file that has
  /// become shorter is read from its start.
  Result<LogPart> read();

  /// `until` has been passed: nothing more will come.
  bool finished() const { return finished_; }

 private:
  LogReader(UniqueFd file, LogQuery query) : file_(std::move(file)), query_(query) {}
  // The search for the place where the last `tail` records begin, from the end backwards.
  struct TailSearch {
    off_t begin = 0;           // of what has been looked at
    std::size_t newlines = 0;  // found in it
  };
  Result<void> search_back(std::size_t count);
  Result<bool> fill();
  void take_lines(std::vector<LogRecord>& records);
  void take_line(std::string_view line, std::vector<LogRecord>& records);

  UniqueFd file_;
  LogQuery query_;
  std::optional<TailSearch> search_;  // until it has ended
  off_t offset_ = 0;                  // of the first byte that is not in buffer_ yet
  std::string buffer_;                // read, but not yet a whole line
  bool skipping_ = false;             // inside a line longer than any record
  bool finished_ = false;
};

/// A reader with a descriptor for an event loop. What it is like when the workload ends is the
/// caller's business: read_more() after that until it is at the end.
class LogFollower {
 public:
  /// kNotFound: there is no log.
  static Result<LogFollower> open(const std::string& path, LogQuery query);

  /// Polls readable when the file has changed since the last read_more(). Borrowed.
  int fd() const { return watch_.get(); }
  /// As LogReader::read(). Call until it is at the end before waiting for fd().
  Result<LogPart> read_more();
  bool finished() const { return reader_.finished(); }

 private:
  LogFollower(LogReader reader, UniqueFd watch)
      : reader_(std::move(reader)), watch_(std::move(watch)) {}

  LogReader reader_;
  UniqueFd watch_;
};

}  // namespace berth::holder
