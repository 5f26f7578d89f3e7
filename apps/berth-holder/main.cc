// berth-holder: the parent of one workload. Started by the engine (holder/client.h), never by hand:
//   berth-holder ID RUN_DIRECTORY        with a connected SOCK_SEQPACKET socket as descriptor 3
// Ends when the workload has, with 0; what it has to say goes to the engine, or to the files that
// holder/protocol.h names.
#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/unique_fd.h"
#include "container/runtime/standard_streams.h"
#include "holder/holder.h"

namespace {

constexpr int kChannel = 3;

// Blocks of this size and more are mapped, and unmapped when freed, so that what a busy moment took
// (a spec, a backlog) does not stay with a process that lives as long as its workload.
constexpr int kMmapThreshold = 32 << 10;

// Whoever means the workload asks the engine. Handlers, rather than SIG_IGN or a mask, because
// these alone are not inherited through execve(2).
void survive_signals() {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGALRM, SIGTERM, SIGUSR1, SIGUSR2})
    ::sigaction(signal, &action, nullptr);
}

bool is_socket(int fd) {
  struct stat status = {};
  return ::fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

}  // namespace

int main(int argc, char** argv) {
  berth::container::open_missing_standard_streams();
  if (argc != 3 || !is_socket(kChannel)) {
    berth::log::error("berth-holder is started by berthd, which talks to it over descriptor 3");
    return 2;
  }
  berth::UniqueFd channel(kChannel);
  ::prctl(PR_SET_NAME, "berth-holder");
  ::mallopt(M_MMAP_THRESHOLD, kMmapThreshold);
  ::mallopt(M_TRIM_THRESHOLD, kMmapThreshold);
  survive_signals();

  auto holder = berth::holder::Holder::open(argv[2], std::move(channel));
  if (!holder.ok()) {
    berth::log::error("{}: {}", argv[1], holder.error().message());
    return 1;
  }
  if (auto ended = (*holder)->run(); !ended.ok()) {
    berth::log::error("{}: {}", argv[1], ended.error().message());
    return 1;
  }
  return 0;
}
