// descriptors.json: what the container's streams were when it was made, beside criu's images, so
// that a restore can put its own in place of those that were pipes. The format is runc's: an array
// of what /proc/<pid>/fd/0 to 2 are links to.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "container/checkpoint/criu_messages.h"

namespace berth::container {

/// Of the caller's own streams; empty if none is a pipe.
std::vector<std::string> describe_streams();

/// Writes it into the directory `images`. `streams`: what describe_streams() said when the
/// container was made.
Result<void> write_descriptors(int images, const std::vector<std::string>& streams);

/// The pipes of it, each with the number of the stream that it was. kNotFound: there is no such
/// file, so the directory has no checkpoint of a container.
Result<std::vector<CriuInheritedFd>> read_descriptors(int images);

}  // namespace berth::container
