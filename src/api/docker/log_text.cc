#include "api/docker/log_text.h"

#include <charconv>

#include "api/docker/wire/event.h"
#include "holder/framing.h"

namespace berth::docker {
namespace {

// "all", and whatever else is no count, means all of it, as with Docker.
std::optional<std::size_t> parse_tail(std::string_view text) {
  std::size_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  return count;
}

}  // namespace

Result<LogRequest> parse_log_request(const Query& query) {
  LogRequest request;
  request.query.stdout_stream = query.flag("stdout");
  request.query.stderr_stream = query.flag("stderr");
  if (!request.query.stdout_stream && !request.query.stderr_stream)
    return fail(ErrorKind::kInvalid, "Bad parameters: you must choose at least one stream");
  request.query.since = TRY(parse_moment("since", query.get("since")));
  request.query.until = TRY(parse_moment("until", query.get("until")));
  request.query.tail = parse_tail(query.get("tail"));
  request.follow = query.flag("follow");
  request.timestamps = query.flag("timestamps");
  return request;
}

std::string log_text(const std::vector<holder::LogRecord>& records, bool tty, bool timestamps) {
  std::string text;
  for (const holder::LogRecord& record : records) {
    const std::string stamp = timestamps ? format_rfc3339_fixed(record.time) + " " : std::string();
    if (!tty) {
      const auto header = holder::frame_header(record.stream, stamp.size() + record.text.size());
      text.append(header.data(), header.size());
    }
    text += stamp;
    text += record.text;
  }
  return text;
}

}  // namespace berth::docker
