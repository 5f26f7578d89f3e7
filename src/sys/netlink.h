// Netlink conversations (man 7 netlink), on libnl's message builder and attribute parser. Requests
// travel in batches: one send for many messages, one acknowledgement each, so that an error names
// the request that failed, with the kernel's own explanation (extended acknowledgement) where it
// gives one. netlink_route.h has the typed requests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/result.h"
#include "base/unique_fd.h"

struct nl_msg;
struct nlattr;
struct nlmsghdr;

namespace berth::sys {

/// One request under construction: header, fixed part, attributes. `what` says in an error what was
/// asked of what: "add bridge berth0".
class NetlinkMessage {
 public:
  /// NLM_F_REQUEST is implied; NLM_F_ACK too, unless `flags` asks for a dump.
  NetlinkMessage(std::string what, std::uint16_t type, std::uint16_t flags);

  /// The protocol's fixed part (ifinfomsg, ifaddrmsg, ...), once, first.
  template <typename T>
    requires std::is_trivially_copyable_v<T>
  void append(const T& fixed) {
    append_bytes(&fixed, sizeof fixed);
  }
  void put_bytes(int attribute, const void* data, std::size_t size);
  void put_string(int attribute, std::string_view text);  // with its final NUL
  void put_u8(int attribute, std::uint8_t value);
  void put_u16(int attribute, std::uint16_t value);
  void put_u32(int attribute, std::uint32_t value);
  void put_flag(int attribute);
  /// Everything that `fill` puts goes inside of the attribute.
  void nest(int attribute, const std::function<void()>& fill);

  const std::string& what() const { return what_; }

 private:
  friend class NetlinkSocket;
  struct Free {
    void operator()(nl_msg* message) const;
  };
  void append_bytes(const void* data, std::size_t size);

  std::string what_;
  std::unique_ptr<nl_msg, Free> message_;
  bool overflow_ = false;  // checked once, when sent
};

/// A connected netlink socket. It belongs to the namespace of the thread that opened it, for good.
/// One conversation at a time: not thread-safe.
class NetlinkSocket {
 public:
  /// `protocol`: NETLINK_ROUTE, NETLINK_NETFILTER. Opens it in the calling thread's namespace.
  static Result<NetlinkSocket> open(int protocol);

  /// Sends `messages` in one go and waits for every acknowledgement. The kernel carries out all of
  /// them, in order, also those after one that failed; the first error is returned.
  Result<void> execute(std::span<NetlinkMessage> messages);
  Result<void> execute(NetlinkMessage message) { return execute(std::span(&message, 1)); }

  /// Sends one request (a dump, or a query with a single answer) and calls `each` for every answer.
  Result<void> query(NetlinkMessage message, const std::function<void(nlmsghdr*)>& each);

 private:
  explicit NetlinkSocket(UniqueFd fd) : fd_(std::move(fd)) {}
  Result<void> send(std::span<NetlinkMessage> messages);
  Result<std::span<std::byte>> receive(std::string_view what);

  UniqueFd fd_;
  std::uint32_t sequence_ = 0;
  std::unique_ptr<std::byte[]> buffer_;  // for answers; made at the first one
};

}  // namespace berth::sys
