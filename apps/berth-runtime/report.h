// Report: where messages go. Standard error, and with --log a file, in runc's two formats, which
// container managers parse: lines of `time="..." level=error msg="..."`, or JSON objects with these
// three members.
#pragma once

#include <string>

#include "base/error.h"
#include "base/result.h"

namespace berth::runtime {

struct LogOptions {
  std::string file;             // empty: standard error
  std::string format = "text";  // or "json"
  bool debug = false;
};

/// Directs base/log there. kInvalid: another format.
Result<void> open_log(const LogOptions& options);

/// Tells the error: to the log, and to standard error.
void report(const Error& error);

}  // namespace berth::runtime
