// A workload's log as a client receives it: the records it asked for, framed unless the workload
// has a terminal.
#pragma once

#include <string>
#include <vector>

#include "api/docker/query.h"
#include "base/result.h"
#include "holder/log_reader.h"

namespace berth::docker {

struct LogRequest {
  holder::LogQuery query;
  bool follow = false;
  bool timestamps = false;
};

/// follow, stdout, stderr, since, until, timestamps, tail. kInvalid in Docker's words if no stream
/// is asked for.
Result<LogRequest> parse_log_request(const Query& query);

/// The bytes that stand for `records`.
std::string log_text(const std::vector<holder::LogRecord>& records, bool tty, bool timestamps);

}  // namespace berth::docker
