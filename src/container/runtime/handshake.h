// The conversation between the parent and init, over a SOCK_SEQPACKET pair: one datagram per
// message.
//
//   parent                            init
//   ------ clone3 ----------------->  begins
//   kMapped ----------------------->  (new user namespace) becomes its root
//   <---------- kRoot + descriptor    (shared mount namespace) the root's mount, not attached yet
//   kRootNoted -------------------->
//   kNetwork + descriptor --------->  (new network namespace) enters it
//                                     in either order
//   kCgroup + descriptors --------->  enters its cgroups (v1); makes its cgroup namespace
//   <----------------- kNamespaces    (prestart, createRuntime hooks) all is mounted, the root is
//                                     not yet "/"
//   kHooksDone -------------------->
//   <------- kConsole + descriptor    (terminal) the pty's master
//   <----------------------- kReady   waits: the container is "created"
//   kReleased --------------------->  (start socket) the parent may end now; before, its end is
//                                     init's
//   kStart ------------------------>  startContainer hooks, seccomp, exec
//   <-------- kReport + descriptor    (start socket, seccomp) where a failure from here on is found
//   <------------------ end of file   the exec closed init's end: "running"; or init ended, and the
//                                     report says why
//
//   <---------------------- kFailed   instead of any of init's: (step, index, errno); init exits
//   end of file ------------------->  instead of any of the parent's: init exits
//
// With a start socket, kStart and what follows are spoken over a connection accepted from it
// instead. Once the filter is loaded init may not be able to send: then the report, a page shared
// by both sides, has its failure (report.h).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "base/unique_fd.h"
#include "container/isolate/child.h"

namespace berth::container {

enum class Word : std::uint32_t {
  kMapped,
  kNetwork,
  kCgroup,
  kRoot,
  kRootNoted,
  kNamespaces,
  kHooksDone,
  kConsole,
  kReady,
  kReleased,
  kStart,
  kReport,
  kBorn,   // exec.h: a process and its pidfd; Message::pid is what the parent calls it
  kNamed,  // exec.h: the parent has noted it
  kFailed,
};
inline constexpr std::size_t kWords = static_cast<std::size_t>(Word::kFailed) + 1;

struct Message {
  Word word = Word::kFailed;
  Failure failure = {};  // kFailed only
  pid_t pid = 0;         // kBorn only
};

/// Descriptors that come along with a message. Not owned: the receiver takes or closes them.
struct Descriptors {
  /// One for each cgroup hierarchy of a v1 host, of which the kernel has 13.
  static constexpr std::size_t kMax = 16;
  std::size_t count = 0;
  int fds[kMax] = {};
};

// Async-signal-safe; both sides use them. False with errno: the other side is gone (EPIPE), or a
// real error.
bool send_message(int channel, const Message& message, std::span<const int> descriptors = {});
/// False with errno 0: end of file.
bool receive_message(int channel, Message& message, Descriptors& descriptors);

}  // namespace berth::container
