// LogWriter: cuts a workload's output into lines and writes them as json-file records.
// Owns the file; there is one writer per file. Not thread-safe. What it is given is in the kernel
// when write() returns, but for the line that has not ended yet (at most kMaxLogPiece a stream).
//
// A full disk does not stop the workload: records that do not fit are dropped whole and counted,
// the file never holds a part of one, and writing goes on as soon as there is room again.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "holder/log_record.h"

namespace berth::holder {

class LogWriter {
 public:
  /// Appends to `path`, which is made (mode 0640) if it does not exist; a record that a crash cut
  /// off at its end is closed off.
  static Result<LogWriter> open(const std::string& path);

  /// Takes output of `stream` that arrived at `time`.
  void write(StreamKind stream, std::string_view output, WallTime time);
  /// Writes the lines that have not ended, without a newline: nothing follows.
  void finish(WallTime time);

  /// Records lost since open().
  std::uint64_t dropped_records() const { return dropped_records_; }

 private:
  // A line that has not ended.
  struct Line {
    std::string begin;
    std::string time;  // of its first piece, which all its pieces bear
    bool cut = false;  // an earlier piece has been written
  };

  LogWriter(UniqueFd file, off_t end) : file_(std::move(file)), end_(end) {}
  void add(StreamKind stream, Line& line, std::string_view rest, bool ends_line,
           std::string_view time);
  void flush();
  // Takes back the part of a record at the end of what was `written` of batch_, counts what is
  // lost, and says how much of the batch the file now holds.
  std::size_t keep_whole_records(std::size_t written);

  UniqueFd file_;
  off_t end_;                  // where the last whole record ends
  std::array<Line, 2> lines_;  // stdout, stderr
  std::string batch_;          // whole records on their way to the file
  bool part_at_end_ = false;   // the file ends in a part of a record that could not be taken back
  std::uint64_t dropped_records_ = 0;
};

}  // namespace berth::holder
