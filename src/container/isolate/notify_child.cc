#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "container/isolate/notify.h"

namespace berth::container {

bool map_process_state(const NotifyPlan& plan, ProcessState* state) {
  struct stat found = {};
  if (::fstat(plan.state.get(), &found) != 0) return false;
  state->size = static_cast<std::size_t>(found.st_size);
  void* text = ::mmap(nullptr, state->size, PROT_READ, MAP_PRIVATE, plan.state.get(), 0);
  if (text == MAP_FAILED) return false;
  state->text = static_cast<const char*>(text);
  return true;
}

bool send_listener(const NotifyPlan& plan, const ProcessState& state, int listener) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof listener)] = {};
  std::size_t sent = 0;
  while (sent < state.size) {
    iovec data{const_cast<char*>(state.text + sent), state.size - sent};
    msghdr header = {};
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    if (sent == 0) {
      // The descriptor goes with the first bytes alone.
      header.msg_control = control;
      header.msg_controllen = sizeof control;
      cmsghdr* rights = CMSG_FIRSTHDR(&header);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN(sizeof listener);
      ::memcpy(CMSG_DATA(rights), &listener, sizeof listener);
    }
    const ssize_t count = ::sendmsg(plan.socket.get(), &header, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    sent += static_cast<std::size_t>(count);
  }
  // Else the exec does; an agent that reads to the end would wait for that.
  if (plan.may_close) ::close(plan.socket.get());
  return true;
}

}  // namespace berth::container
