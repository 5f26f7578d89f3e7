#include "sys/netlink.h"

#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace berth::sys {
namespace {

// The kernel fills dumps up to 32 KiB a read (netlink_dump(): NLMSG_GOODSIZE caps and the reader's
// own size).
constexpr std::size_t kReceiveBytes = 32U << 10;
// No request made here needs more; a veth pair with both ends configured takes about 300 bytes.
constexpr std::size_t kMessageBytes = 1024;

/// The error of an NLMSG_ERROR answer, with the extended acknowledgement's text after it; nothing
/// if it is plain success.
Result<void> acknowledgement(nlmsghdr* header, std::string_view what) {
  if (nlmsg_datalen(header) < static_cast<int>(sizeof(nlmsgerr))) {
    return fail(ErrorKind::kCorrupt, "{}: the kernel's acknowledgement is too short", what);
  }
  const auto* answer = static_cast<const nlmsgerr*>(nlmsg_data(header));
  if (answer->error == 0) return {};
  std::string operation(what);
  if ((header->nlmsg_flags & NLM_F_ACK_TLVS) != 0) {
    // With NETLINK_CAP_ACK the request is not echoed beyond its header, unless the flag says
    // otherwise.
    int offset = sizeof(nlmsgerr);
    if ((header->nlmsg_flags & NLM_F_CAPPED) == 0) {
      offset += static_cast<int>(NLMSG_ALIGN(answer->msg.nlmsg_len) - sizeof(nlmsghdr));
    }
    const int left = nlmsg_attrlen(header, offset);
    if (left > 0) {
      const nlattr* text = nla_find(nlmsg_attrdata(header, offset), left, NLMSGERR_ATTR_MSG);
      if (text != nullptr && nla_len(text) > 1) {
        const std::string_view words(static_cast<const char*>(nla_data(text)),
                                     static_cast<std::size_t>(nla_len(text)));
        operation += fmt::format(" ({})", words.substr(0, words.find('\0')));
      }
    }
  }
  return Error::from_errno(-answer->error, operation);
}

}  // namespace

NetlinkMessage::NetlinkMessage(std::string what, std::uint16_t type, std::uint16_t flags)
    : what_(std::move(what)), message_(nlmsg_alloc_size(kMessageBytes)) {
  const int all = NLM_F_REQUEST | flags | ((flags & NLM_F_DUMP) == NLM_F_DUMP ? 0 : NLM_F_ACK);
  if (message_ == nullptr ||
      nlmsg_put(message_.get(), NL_AUTO_PORT, NL_AUTO_SEQ, type, 0, all) == nullptr) {
    overflow_ = true;
  }
}

void NetlinkMessage::Free::operator()(nl_msg* message) const {
  nlmsg_free(message);
}

void NetlinkMessage::append_bytes(const void* data, std::size_t size) {
  // libnl takes a mutable pointer and only reads it.
  overflow_ =
      overflow_ || nlmsg_append(message_.get(), const_cast<void*>(data), size, NLMSG_ALIGNTO) != 0;
}
void NetlinkMessage::put_bytes(int attribute, const void* data, std::size_t size) {
  overflow_ = overflow_ || nla_put(message_.get(), attribute, static_cast<int>(size), data) != 0;
}
void NetlinkMessage::put_string(int attribute, std::string_view text) {
  const std::string terminated(text);
  put_bytes(attribute, terminated.c_str(), terminated.size() + 1);
}
void NetlinkMessage::put_u8(int attribute, std::uint8_t value) {
  put_bytes(attribute, &value, sizeof value);
}
void NetlinkMessage::put_u16(int attribute, std::uint16_t value) {
  put_bytes(attribute, &value, sizeof value);
}
void NetlinkMessage::put_u32(int attribute, std::uint32_t value) {
  put_bytes(attribute, &value, sizeof value);
}
void NetlinkMessage::put_flag(int attribute) {
  put_bytes(attribute, nullptr, 0);
}

void NetlinkMessage::nest(int attribute, const std::function<void()>& fill) {
  nlattr* start = overflow_ ? nullptr : nla_nest_start(message_.get(), attribute);
  if (start == nullptr) {
    overflow_ = true;
    return;
  }
  fill();
  nla_nest_end_keep_empty(message_.get(), start);
}

Result<NetlinkSocket> NetlinkSocket::open(int protocol) {
  UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  if (!fd.valid()) return fail_errno("open a netlink socket of protocol {}", protocol);
  const int on = 1;
  // Both are refinements of error answers; a kernel without them (before 4.12) still answers with
  // the errno.
  (void)::setsockopt(fd.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  (void)::setsockopt(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  return NetlinkSocket(std::move(fd));
}

Result<void> NetlinkSocket::send(std::span<NetlinkMessage> messages) {
  std::vector<iovec> parts;
  parts.reserve(messages.size());
  for (NetlinkMessage& message : messages) {
    if (message.overflow_)
      return fail(ErrorKind::kInternal, "{}: the netlink request is too long", message.what());
    nlmsghdr* header = nlmsg_hdr(message.message_.get());
    header->nlmsg_seq = ++sequence_;
    header->nlmsg_pid = 0;
    parts.push_back({header, NLMSG_ALIGN(header->nlmsg_len)});
  }
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  msghdr envelope{};
  envelope.msg_name = &kernel;
  envelope.msg_namelen = sizeof kernel;
  envelope.msg_iov = parts.data();
  envelope.msg_iovlen = parts.size();
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(fd_.get(), &envelope, 0);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return fail_errno("{}: send to netlink", messages.front().what());
  return {};
}

Result<std::span<std::byte>> NetlinkSocket::receive(std::string_view what) {
  if (buffer_ == nullptr) buffer_ = std::make_unique<std::byte[]>(kReceiveBytes);
  for (;;) {
    sockaddr_nl from{};
    iovec part{buffer_.get(), kReceiveBytes};
    msghdr envelope{};
    envelope.msg_name = &from;
    envelope.msg_namelen = sizeof from;
    envelope.msg_iov = &part;
    envelope.msg_iovlen = 1;
    const ssize_t got = ::recvmsg(fd_.get(), &envelope, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("{}: receive from netlink", what);
    if ((envelope.msg_flags & MSG_TRUNC) != 0) {
      return fail(ErrorKind::kInternal, "{}: a netlink answer is longer than {} bytes", what,
                  kReceiveBytes);
    }
    // Any process may send to a netlink port; only the kernel has port 0.
    if (from.nl_pid != 0) continue;
    return std::span(buffer_.get(), static_cast<std::size_t>(got));
  }
}

Result<void> NetlinkSocket::execute(std::span<NetlinkMessage> messages) {
  if (messages.empty()) return {};
  const std::uint32_t first = sequence_ + 1;
  TRY(send(messages));
  Result<void> outcome;
  std::size_t pending = messages.size();
  while (pending > 0) {
    const std::span<std::byte> bytes = TRY(receive(messages.front().what()));
    int left = static_cast<int>(bytes.size());
    for (auto* header = reinterpret_cast<nlmsghdr*>(bytes.data()); nlmsg_ok(header, left) != 0;
         header = nlmsg_next(header, &left)) {
      const std::uint32_t index = header->nlmsg_seq - first;
      if (header->nlmsg_type != NLMSG_ERROR || index >= messages.size()) continue;
      --pending;
      Result<void> answer = acknowledgement(header, messages[index].what());
      if (outcome.ok()) outcome = std::move(answer);
    }
  }
  return outcome;
}

Result<void> NetlinkSocket::query(NetlinkMessage message,
                                  const std::function<void(nlmsghdr*)>& each) {
  TRY(send(std::span(&message, 1)));
  bool interrupted = false;
  for (;;) {
    const std::span<std::byte> bytes = TRY(receive(message.what()));
    int left = static_cast<int>(bytes.size());
    for (auto* header = reinterpret_cast<nlmsghdr*>(bytes.data()); nlmsg_ok(header, left) != 0;
         header = nlmsg_next(header, &left)) {
      if (header->nlmsg_seq != sequence_) continue;
      interrupted = interrupted || (header->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
      if (header->nlmsg_type == NLMSG_DONE) {
        // The list changed while it was read; the caller asks again if it minds.
        if (interrupted) return Error::from_errno(EAGAIN, message.what());
        return {};
      }
      if (header->nlmsg_type == NLMSG_ERROR) return acknowledgement(header, message.what());
      each(header);
    }
  }
}

}  // namespace berth::sys
