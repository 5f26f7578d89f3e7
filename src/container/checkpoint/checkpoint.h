// Checkpoint: writes a running container down as files, by way of criu, from which a restore makes
// it again: the processes with their memory, the file systems that live in memory, the terminal.
// Its root file system and what is bound into it are not among them.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "container/checkpoint/options.h"
#include "container/spec/spec.h"

namespace berth::container {

struct CheckpointOptions : CriuCommon {
  std::string parent_path;     // of an earlier pre-dump, relative to image_path; empty: none
  bool pre_dump = false;       // only memory, and the container runs on
  bool leave_running = false;  // else its processes are gone afterwards
  bool tcp_skip_in_flight = false;
  bool link_remap = false;
  std::optional<CriuPageServer> page_server = {};
  /// Gets a NUL byte when lazy pages can be asked for, and is closed then; -1: nobody waits.
  int status_fd = -1;
};

/// The container, as it was made or restored.
struct CheckpointTarget {
  pid_t pid = 0;
  std::string bundle;
  std::string rootfs;
  std::vector<std::string> cgroups;
  std::vector<std::string> streams;  // what describe_streams() said then
};

/// The directories exist. The container lives. After an error it runs on, if criu could undo what
/// it had begun.
Result<void> checkpoint(const Spec& spec, const CheckpointTarget& target,
                        const CheckpointOptions& options);

}  // namespace berth::container
