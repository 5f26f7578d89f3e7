// Loop devices: a file as a block device. loop(4).
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace berth::sys {

struct LoopDevice {
  std::string path;
  UniqueFd fd;  // keeps it until a mount or another device does
};

/// Sets one up for the open file `fd`. It goes by itself when nobody has it open any more.
/// kUnsupported: this host has no loop devices; kExhausted: none is free.
Result<LoopDevice> attach_loop(int fd, bool read_only);

}  // namespace berth::sys
