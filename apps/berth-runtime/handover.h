// Handover: what passes between a caller of berth-runtime and a process that it starts, for
// `create`, `run` and `exec` alike: descriptors in; the pid, the terminal and a pidfd out.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "berth-runtime/flags.h"
#include "container/spec/spec.h"

namespace berth::runtime {

struct HandoverOptions {
  std::string pid_file;
  std::string console_socket;
  std::string pidfd_socket;
  std::string preserve_fds;
};

void add_handover_flags(Flags& flags, HandoverOptions& options);

class Handover {
 public:
  /// Connects the sockets, before anything is made. `detached`: the caller does not wait for the
  /// process. kInvalid: a terminal that nobody would take, or a socket for none.
  static Result<Handover> open(const HandoverOptions& options, bool terminal, bool detached);

  /// How many of the caller's descriptors from 3 on the process keeps: those that are asked for,
  /// and sockets that a service manager opened for this very process (sd_listen_fds(3)), of which
  /// the environment is told.
  Result<unsigned> preserved_fds(container::Process& process) const;

  /// Writes the pid file; sends the terminal, which is ours no more then, and the pidfd. On error
  /// there is no pid file.
  Result<void> give(pid_t pid, int pidfd, UniqueFd& console) const;

 private:
  std::string pid_file_;
  std::string preserve_fds_;
  UniqueFd console_socket_;
  UniqueFd pidfd_socket_;
};

}  // namespace berth::runtime
