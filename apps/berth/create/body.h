// From flags to the body of POST /containers/create: Config, HostConfig and NetworkingConfig of
// Docker's Engine API, with the members that the docker CLI sends.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "berth/create/options.h"
#include "berth/stream/terminal.h"

namespace berth::cli {

/// Which streams of the workload the client wants.
struct AttachedStreams {
  bool input = false, output = false, errors = false;
  bool any() const { return input || output || errors; }
};

/// From -a, -i and -d. kInvalid: a stream that does not exist, or -a with -d.
Result<AttachedStreams> attached_streams(const CreateOptions& options);

/// `operands` are the image and the command behind it; `console` the size of the terminal, zeros if
/// there is none. kInvalid is a sentence that names the flag.
Result<Json> create_body(const CreateOptions& options, const Arguments& operands,
                         TerminalSize console);

}  // namespace berth::cli
