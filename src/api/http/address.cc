#include "api/http/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <charconv>

namespace berth::http {
namespace {

constexpr std::string_view kUnixScheme = "unix://";
constexpr std::string_view kTcpScheme = "tcp://";

bool is_loopback(const std::string& host) {
  if (host == "localhost") return true;
  in_addr v4{};
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24U) == 127;
  in6_addr v6{};
  return ::inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6) != 0;
}

Result<Address> parse_unix(std::string_view text, std::string_view path) {
  if (path.empty() || path[0] != '/')
    return fail(ErrorKind::kInvalid, "bad address '{}': unix:// needs an absolute path", text);
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return fail(ErrorKind::kInvalid, "bad address '{}': a socket's path has at most {} characters",
                text, sizeof(sockaddr_un::sun_path) - 1);
  return Address{.kind = Address::Kind::kUnix, .path = std::string(path), .host = {}};
}

Result<Address> parse_tcp(std::string_view text, std::string_view rest) {
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos)
    return fail(ErrorKind::kInvalid, "bad address '{}': write tcp://HOST:PORT", text);
  std::string_view host = rest.substr(0, colon);
  const std::string_view port = rest.substr(colon + 1);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  Address address{.kind = Address::Kind::kTcp, .path = {}, .host = std::string(host)};
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size() || port.empty())
    return fail(ErrorKind::kInvalid, "bad address '{}': '{}' is no port", text, port);
  if (!is_loopback(address.host)) {
    return fail(
        ErrorKind::kPermission,
        "refusing to listen on '{}': whoever reaches the API is root on this host, so tcp is "
        "served on "
        "loopback addresses only; reach a remote engine with an ssh tunnel to its unix socket",
        text);
  }
  return address;
}

}  // namespace

std::string Address::text() const {
  if (kind == Kind::kUnix) return std::string(kUnixScheme) + path;
  const bool v6 = host.find(':') != std::string::npos;
  return fmt::format("{}{}{}{}:{}", kTcpScheme, v6 ? "[" : "", host, v6 ? "]" : "", port);
}

Result<Address> parse_address(std::string_view text) {
  if (text.find('\0') != std::string_view::npos)
    return fail(ErrorKind::kInvalid, "bad address: it contains a null byte");
  if (text.starts_with(kUnixScheme)) return parse_unix(text, text.substr(kUnixScheme.size()));
  if (text.starts_with(kTcpScheme)) return parse_tcp(text, text.substr(kTcpScheme.size()));
  return fail(ErrorKind::kInvalid, "bad address '{}': write unix:///PATH or tcp://HOST:PORT", text);
}

}  // namespace berth::http
