#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "container/checkpoint/criu.h"
#include "container/isolate/namespaces.h"
#include "sys/process.h"

namespace berth::container {
namespace {

// Above what criu gets: the descriptors must not overwrite each other on their way.
constexpr int kAside = 64;
constexpr std::size_t kMaxPassed = kAside;
constexpr int kExitFailed = 1;

bool place_descriptors(Child& child, const CriuExec& exec, int* report) {
  int aside[kMaxPassed];
  const std::size_t count = exec.fds.size();
  if (count > kMaxPassed) return child.fail_with(E2BIG, Step::kStandardStreams);
  for (std::size_t i = 0; i < count; ++i) {
    aside[i] = ::fcntl(exec.fds[i], F_DUPFD_CLOEXEC, kAside);
    if (aside[i] < 0) return child.fail(Step::kStandardStreams);
  }
  const int moved = ::fcntl(*report, F_DUPFD_CLOEXEC, kAside);
  if (moved < 0) return child.fail(Step::kStandardStreams);
  *report = moved;
  for (std::size_t i = 0; i < count; ++i)
    if (::dup2(aside[i], static_cast<int>(i)) < 0) return child.fail(Step::kStandardStreams);
  return ::close_range(static_cast<unsigned>(count), ~0U, CLOSE_RANGE_CLOEXEC) == 0 ||
         child.fail(Step::kCloseDescriptors);
}

bool become_criu(Child& child, const CriuExec& exec, int* report) {
  sys::reset_signals();
  if (!enter_cgroups(child, exec.entrances)) return false;
  if (exec.root && !enter_restore_root(child, *exec.root)) return false;
  if (!place_descriptors(child, exec, report)) return false;
  char name[] = "criu";
  char mode[] = "swrk";
  char socket[] = {static_cast<char>('0' + kCriuSocket), '\0'};
  char* const argv[] = {name, mode, socket, nullptr};
  ::execve(exec.program.c_str(), argv, environ);
  return child.fail(Step::kExec);
}

}  // namespace

void exec_criu(const CriuExec& exec, int report) {
  Child child;
  (void)become_criu(child, exec, &report);
  (void)!::write(report, &child.failure, sizeof child.failure);
  ::_exit(kExitFailed);
}

}  // namespace berth::container
