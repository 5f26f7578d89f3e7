// A file that the engine answers with, as export and save ask for.
#pragma once

#include <string>

#include "base/result.h"
#include "berth/client/client.h"

namespace berth::cli {

/// GETs `target` into the file `output` ("": standard output), which is there whole or not at all.
Result<void> download(const Client& client, const Target& target, const std::string& output);

}  // namespace berth::cli
