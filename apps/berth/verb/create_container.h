// Creating a workload from flags: what create and run have in common.
#pragma once

#include <string>

#include "base/result.h"
#include "berth/client/client.h"
#include "berth/create/options.h"

namespace berth::cli {

/// Asks the engine for the workload and returns its id. An image that is not there is pulled, as
/// --pull says. Warnings are shown; --cidfile is written.
Result<std::string> create_container(Client& client, const CreateOptions& options,
                                     const Arguments& operands);

}  // namespace berth::cli
