#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "container/runtime/handshake.h"

namespace berth::container {

bool send_message(int channel, const Message& message, std::span<const int> descriptors) {
  iovec data{const_cast<Message*>(&message), sizeof message};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * Descriptors::kMax)] = {};
  if (descriptors.size() > Descriptors::kMax) {
    errno = E2BIG;
    return false;
  }
  msghdr header = {};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  if (!descriptors.empty()) {
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    ::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size_bytes());
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(channel, &header, MSG_NOSIGNAL);
    // As below; the next try says EPIPE.
  } while (sent < 0 && (errno == EINTR || errno == ECONNRESET));
  return sent == static_cast<ssize_t>(sizeof message);
}

bool receive_message(int channel, Message& message, Descriptors& descriptors) {
  iovec data{&message, sizeof message};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * Descriptors::kMax)] = {};
  msghdr header = {};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  descriptors.count = 0;
  ssize_t got = 0;
  do {
    got = ::recvmsg(channel, &header, MSG_CMSG_CLOEXEC);
    // It ended with messages unread, which is told once; what it said before is still to come.
  } while (got < 0 && (errno == EINTR || errno == ECONNRESET));
  if (got < 0) return false;
  for (cmsghdr* item = CMSG_FIRSTHDR(&header); item; item = CMSG_NXTHDR(&header, item))
    if (item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_RIGHTS) {
      const std::size_t bytes = item->cmsg_len - CMSG_LEN(0);
      ::memcpy(descriptors.fds, CMSG_DATA(item), bytes);
      descriptors.count = bytes / sizeof(int);
    }
  if (got == static_cast<ssize_t>(sizeof message)) return true;
  errno = got == 0 ? 0 : EPROTO;
  return false;
}

}  // namespace berth::container
