#include "sys/netns.h"

#include <fcntl.h>
#include <sched.h>

#include <system_error>
#include <thread>

namespace berth::sys {
namespace {

/// Runs `work` on a thread of its own and hands back its result.
template <typename Work>
auto on_helper_thread(Work work) -> decltype(work()) {
  std::optional<decltype(work())> outcome;
  try {
    std::jthread([&] { outcome.emplace(work()); }).join();
  } catch (const std::system_error& error) {
    return Error::from_errno(error.code().value(), "start a thread for a network namespace");
  }
  return std::move(*outcome);
}

}  // namespace

Result<UniqueFd> current_network_namespace() {
  // thread-self, not self: the main thread may be somewhere else (proc(5)).
  UniqueFd fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return fail_errno("open /proc/thread-self/ns/net");
  return fd;
}

Result<UniqueFd> create_network_namespace(const std::function<Result<void>()>& inside) {
  return on_helper_thread([&]() -> Result<UniqueFd> {
    if (::unshare(CLONE_NEWNET) != 0) return fail_errno("create a network namespace");
    UniqueFd fd = TRY(current_network_namespace());
    if (inside) TRY(inside());
    return fd;
  });
}

Result<void> run_in_network_namespace(int netns, const std::function<Result<void>()>& work) {
  return on_helper_thread([&]() -> Result<void> {
    if (::setns(netns, CLONE_NEWNET) != 0) {
      return fail_errno("enter the network namespace of descriptor {}", netns);
    }
    return work();
  });
}

}  // namespace berth::sys
