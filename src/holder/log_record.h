// One record of a log in Docker's json-file format: a line of JSON,
//   {"log":"text\n","stream":"stdout","time":"2006-01-02T15:04:05.999999999Z"}
// written byte for byte as Docker writes it: <, > and & are escaped as Go's encoding/json does, and
// a byte that is no UTF-8 becomes U+FFFD.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "holder/framing.h"

namespace berth::holder {

/// A longer line is cut into records of this many bytes; only the last of them ends in a newline.
inline constexpr std::size_t kMaxLogPiece = 16U << 10;
/// The longest record: each byte of a piece as a six-character escape, and the frame around it.
inline constexpr std::size_t kMaxLogRecord = kMaxLogPiece * 6 + 256;

struct LogRecord {
  StreamKind stream = StreamKind::kStdout;
  WallTime time = {};
  std::string text;  // with its newline; without one it is part of a longer line
};

/// Appends one record and its newline. `time` is RFC 3339; `text` is not empty, and a newline is
/// appended to it if `ends_line`.
void append_log_record(std::string& out, std::string_view text, bool ends_line, StreamKind stream,
                       std::string_view time);

/// kCorrupt: `line`, without its newline, is no record.
Result<LogRecord> parse_log_record(std::string_view line);

}  // namespace berth::holder
