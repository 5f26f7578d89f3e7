#include "container/isolate/net_devices.h"

#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <memory>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "sys/netns.h"

namespace berth::container {
namespace {

constexpr std::size_t kMaxAnswer = 64 * 1024;  // more than the kernel puts into one datagram

// One request: the header, a fixed part, attributes. Room for what is asked here.
class Request {
 public:
  template <typename T>
  Request(std::uint16_t type, unsigned flags, const T& fixed) {
    nlmsghdr header = {};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    append(&header, sizeof header);
    append(&fixed, sizeof fixed);
  }
  void put(std::uint16_t type, const void* data, std::size_t size) {
    const rtattr attribute{.rta_len = static_cast<std::uint16_t>(RTA_LENGTH(size)),
                           .rta_type = type};
    append(&attribute, sizeof attribute);
    append(data, size);
  }
  std::span<const std::byte> bytes() {
    const auto size = static_cast<std::uint32_t>(bytes_.size());
    ::memcpy(bytes_.data(), &size, sizeof size);  // nlmsg_len
    return bytes_;
  }

 private:
  void append(const void* data, std::size_t size) {
    const auto* first = static_cast<const std::byte*>(data);
    bytes_.insert(bytes_.end(), first, first + size);
    bytes_.resize(NLMSG_ALIGN(bytes_.size()));
  }
  std::vector<std::byte> bytes_;
};

// An address as the kernel told it, to be told again.
struct Address {
  ifaddrmsg fixed = {};
  std::vector<std::pair<std::uint16_t, std::vector<std::byte>>> attributes;
};

class Rtnetlink {
 public:
  static Result<Rtnetlink> open() {
    UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (!socket.valid()) return fail_errno("cannot open a netlink socket");
    return Rtnetlink(std::move(socket));
  }

  /// Waits for the acknowledgement; false with errno.
  bool execute(Request request) {
    int error = EIO;
    const bool heard = converse(request, [&](const nlmsghdr* message) {
      if (message->nlmsg_type != NLMSG_ERROR) return true;
      error = -static_cast<const nlmsgerr*>(NLMSG_DATA(message))->error;
      return false;
    });
    if (heard) errno = error;
    return heard && error == 0;
  }

  /// The lasting global addresses of the interface, of any family.
  bool addresses(int index, std::vector<Address>& found) {
    int error = 0;
    const bool heard =
        converse(Request(RTM_GETADDR, NLM_F_DUMP, ifaddrmsg{}), [&](const nlmsghdr* message) {
          if (message->nlmsg_type == NLMSG_ERROR)
            error = -static_cast<const nlmsgerr*>(NLMSG_DATA(message))->error;
          if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE) return false;
          if (message->nlmsg_type == RTM_NEWADDR) take_address(message, index, found);
          return true;
        });
    if (heard) errno = error;
    return heard && error == 0;
  }

 private:
  explicit Rtnetlink(UniqueFd socket)
      : socket_(std::move(socket)), answer_(std::make_unique<std::byte[]>(kMaxAnswer)) {}

  // Calls `each` for every answer until that says false; false with errno.
  template <typename Each>
  bool converse(Request request, Each each) {
    const auto bytes = request.bytes();
    if (::send(socket_.get(), bytes.data(), bytes.size(), 0) < 0) return false;
    for (;;) {
      ssize_t size = ::recv(socket_.get(), answer_.get(), kMaxAnswer, 0);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) return false;
      const auto* message = reinterpret_cast<const nlmsghdr*>(answer_.get());
      for (; NLMSG_OK(message, size); message = NLMSG_NEXT(message, size))
        if (!each(message)) return true;
    }
  }

  static void take_address(const nlmsghdr* message, int index, std::vector<Address>& found) {
    const auto* fixed = static_cast<const ifaddrmsg*>(NLMSG_DATA(message));
    if (fixed->ifa_index != static_cast<unsigned>(index) || fixed->ifa_scope != RT_SCOPE_UNIVERSE)
      return;
    Address address{.fixed = *fixed, .attributes = {}};
    std::uint32_t flags = fixed->ifa_flags;
    auto left = static_cast<int>(IFA_PAYLOAD(message));
    for (const rtattr* item = IFA_RTA(fixed); RTA_OK(item, left); item = RTA_NEXT(item, left)) {
      const auto* data = static_cast<const std::byte*>(RTA_DATA(item));
      const std::size_t size = RTA_PAYLOAD(item);
      if (item->rta_type == IFA_FLAGS && size == sizeof flags) ::memcpy(&flags, data, sizeof flags);
      if (item->rta_type == IFA_LOCAL || item->rta_type == IFA_ADDRESS ||
          item->rta_type == IFA_BROADCAST)
        address.attributes.push_back({item->rta_type, {data, data + size}});
    }
    if ((flags & IFA_F_PERMANENT) != 0) found.push_back(std::move(address));
  }

  UniqueFd socket_;
  std::unique_ptr<std::byte[]> answer_;
};

// Whether it was up before.
Result<bool> set_up(const char* name, bool up) {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = {};
  ::strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
  if (!socket.valid() || ::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0)
    return fail_errno("cannot find the network interface '{}'", name)
        .with_kind(ErrorKind::kInvalid);
  const bool was_up = (request.ifr_flags & IFF_UP) != 0;
  request.ifr_flags =
      static_cast<short>(up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP);
  if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0)
    return fail_errno("cannot set the network interface '{}' {}", name, up ? "up" : "down");
  return was_up;
}

Result<std::set<unsigned>> interfaces() {
  struct Free {
    void operator()(struct if_nameindex* list) const { ::if_freenameindex(list); }
  };
  std::set<unsigned> indices;
  const std::unique_ptr<struct if_nameindex, Free> list(::if_nameindex());
  if (!list) return fail_errno("cannot list the network interfaces");
  for (const struct if_nameindex* item = list.get(); item->if_index != 0; ++item)
    indices.insert(item->if_index);
  return indices;
}

// In the container's namespace: the interface that was not there before gets its addresses back,
// which the move has taken, and goes up.
Result<void> settle(const std::set<unsigned>& before, const std::vector<Address>& addresses) {
  unsigned index = 0;
  for (const unsigned candidate : TRY(interfaces()))
    if (!before.contains(candidate)) index = candidate;
  char name[IF_NAMESIZE];
  if (index == 0 || !::if_indextoname(index, name))
    return fail(ErrorKind::kConflict, "it has left the container's namespace at once");
  Rtnetlink socket = TRY(Rtnetlink::open());
  for (const Address& address : addresses) {
    ifaddrmsg fixed = address.fixed;
    fixed.ifa_index = index;
    fixed.ifa_flags = 0;
    Request request(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, fixed);
    for (const auto& [type, data] : address.attributes) request.put(type, data.data(), data.size());
    if (!socket.execute(std::move(request)))
      return fail_errno("cannot give '{}' its address again", name);
  }
  TRY(set_up(name, true));
  return {};
}

Result<void> move_one(const std::string& name, const std::string& inside, int netns) {
  const unsigned index = ::if_nametoindex(name.c_str());
  if (index == 0)
    return fail_errno("cannot find the network interface '{}'", name)
        .with_kind(ErrorKind::kInvalid);
  Rtnetlink socket = TRY(Rtnetlink::open());
  std::vector<Address> addresses;
  if (!socket.addresses(static_cast<int>(index), addresses))
    return fail_errno("cannot read the addresses of '{}'", name);
  const auto before = TRY(sys::run_in_network_namespace(netns, [&]() -> Result<std::set<unsigned>> {
    // The kernel would find out after the move only.
    if (::if_nametoindex(inside.c_str()) != 0)
      return fail(ErrorKind::kInvalid,
                  "cannot move the network interface '{}' into the container as '{}': there is "
                  "one of that name",
                  name, inside);
    return interfaces();
  }));
  const bool was_up = TRY(set_up(name.c_str(), false));
  ifinfomsg link = {};
  link.ifi_index = static_cast<int>(index);
  Request request(RTM_NEWLINK, NLM_F_ACK, link);
  request.put(IFLA_IFNAME, inside.c_str(), inside.size() + 1);
  request.put(IFLA_NET_NS_FD, &netns, sizeof netns);
  if (!socket.execute(std::move(request))) {
    auto error = fail_errno("cannot move the network interface '{}' into the container as '{}'",
                            name, inside);
    if (was_up) (void)set_up(name.c_str(), true);  // it may be in the container by now
    return std::move(error).with_kind(ErrorKind::kInvalid);
  }
  return sys::run_in_network_namespace(netns, [&] { return settle(before, addresses); })
      .context(fmt::format("network interface '{}'", name));
}

}  // namespace

Result<void> move_net_devices(const std::map<std::string, NetDevice>& devices, pid_t pid) {
  if (devices.empty()) return {};
  const std::string path = fmt::format("/proc/{}/ns/net", pid);
  const UniqueFd netns(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!netns.valid()) return fail_errno("cannot open {}", path);
  for (const auto& [name, device] : devices)
    TRY(move_one(name, device.name.empty() ? name : device.name, netns.get())
            .context("linux.netDevices"));
  return {};
}

}  // namespace berth::container
