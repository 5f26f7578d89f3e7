#include "container/isolate/network.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>

#include <system_error>

#include "base/unique_fd.h"
#include "container/isolate/namespaces.h"
#include "container/runtime/handshake.h"

namespace berth::container {
namespace {

// On a thread of its own, which alone moves.
Result<void> make_and_send(int channel) {
  if (::unshare(CLONE_NEWNET) != 0) return fail_errno("cannot make a network namespace");
  if (!bring_loopback_up()) return fail_errno("cannot bring the loopback interface up");
  const UniqueFd network(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!network.valid()) return fail_errno("cannot open the new network namespace");
  // Init may be gone already, and then has said why.
  const int descriptor = network.get();
  (void)send_message(channel, {.word = Word::kNetwork}, {&descriptor, 1});
  return {};
}

}  // namespace

Result<void> NetworkMaker::start(int channel) {
  try {
    thread_ = std::thread([this, channel] {
      outcome_ = make_and_send(channel);
      if (!outcome_.ok()) ::shutdown(channel, SHUT_RDWR);
    });
  } catch (const std::system_error& error) {
    return fail(ErrorKind::kExhausted,
                "cannot start a thread to make the network namespace: {} (is a limit on processes "
                "reached?)",
                error.what());
  }
  return {};
}

Result<void> NetworkMaker::finish() {
  join();
  return std::move(outcome_);
}

}  // namespace berth::container
