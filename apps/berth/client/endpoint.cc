#include "berth/client/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <charconv>
#include <cstdlib>
#include <cstring>

namespace berth::cli {
namespace {

// The port of Docker's API without TLS.
constexpr std::string_view kDefaultPort = "2375";

Error cannot_connect(const Endpoint& endpoint) {
  return fail(ErrorKind::kInternal, "Cannot connect to the Berth engine at {}: is berthd running?",
              endpoint.spelled);
}

// The group of the socket by number: getgrnam(3) in a static program would load NSS modules.
Error not_permitted(const Endpoint& endpoint) {
  struct stat about{};
  std::string who = "root";
  if (::stat(endpoint.path.c_str(), &about) == 0 && about.st_gid != 0 &&
      (about.st_mode & S_IWGRP) != 0)
    who = fmt::format("root, or a member of group {}", about.st_gid);
  return fail(ErrorKind::kPermission,
              "permission denied while connecting to the Berth engine at {}: it may be used by {}",
              endpoint.spelled, who);
}

Result<UniqueFd> connect_unix(const Endpoint& endpoint) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (endpoint.path.size() >= sizeof(address.sun_path))
    return fail(ErrorKind::kInvalid, "the socket path {} is longer than {} bytes", endpoint.path,
                sizeof(address.sun_path) - 1);
  std::memcpy(address.sun_path, endpoint.path.data(), endpoint.path.size());
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return fail_errno("socket");
  while (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) <
         0) {
    if (errno == EINTR) continue;
    if (errno == EACCES || errno == EPERM) return not_permitted(endpoint);
    return cannot_connect(endpoint);
  }
  return socket;
}

// Addresses as numbers, and "localhost". Names would need NSS, which a static program cannot load.
Result<UniqueFd> connect_tcp(const Endpoint& endpoint) {
  const std::string host = endpoint.host == "localhost" ? "127.0.0.1" : endpoint.host;
  sockaddr_storage storage{};
  auto* const four = reinterpret_cast<sockaddr_in*>(&storage);
  auto* const six = reinterpret_cast<sockaddr_in6*>(&storage);
  socklen_t length = 0;
  if (::inet_pton(AF_INET, host.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(endpoint.port);
    length = sizeof(*four);
  } else if (::inet_pton(AF_INET6, host.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(endpoint.port);
    length = sizeof(*six);
  } else {
    return fail(ErrorKind::kUnsupported,
                "{}: give the engine's address as a number, such as tcp://192.0.2.1:2375",
                endpoint.spelled);
  }
  UniqueFd socket(::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return fail_errno("socket");
  while (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&storage), length) < 0) {
    if (errno != EINTR) return cannot_connect(endpoint);
  }
  const int on = 1;  // keystrokes must not wait for company
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return socket;
}

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text) {
  Endpoint endpoint;
  std::string_view rest = text;
  const auto scheme_end = text.find("://");
  const std::string_view scheme =
      scheme_end == std::string_view::npos ? "" : text.substr(0, scheme_end);
  if (scheme_end != std::string_view::npos) rest.remove_prefix(scheme_end + 3);

  if (scheme == "unix" || (scheme.empty() && rest.starts_with('/'))) {
    if (!rest.starts_with('/'))
      return fail(ErrorKind::kInvalid, "bad host '{}': the socket path must be absolute", text);
    endpoint.path = rest;
    endpoint.spelled = fmt::format("unix://{}", rest);
    return endpoint;
  }
  if (!scheme.empty() && scheme != "tcp" && scheme != "http")
    return fail(ErrorKind::kUnsupported,
                "bad host '{}': '{}' is not supported, use unix:///path or tcp://host:port", text,
                scheme);

  endpoint.kind = Endpoint::Kind::kTcp;
  rest = rest.substr(0, rest.find('/'));
  std::string_view port = kDefaultPort;
  // The colon behind the last bracket starts the port: "[::1]:2375".
  const auto bracket = rest.rfind(']');
  const auto colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
  std::string_view host = rest.substr(0, colon);
  if (colon != std::string_view::npos) port = rest.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (host.empty() || error != std::errc() || end != port.data() + port.size())
    return fail(ErrorKind::kInvalid, "bad host '{}': expected unix:///path or tcp://host:port",
                text);
  endpoint.host = host;
  endpoint.spelled = fmt::format("tcp://{}", rest);
  return endpoint;
}

Result<Endpoint> choose_endpoint(std::string_view flag) {
  for (const std::string_view text : {flag, environment("BERTH_HOST"), environment("DOCKER_HOST")})
    if (!text.empty()) return parse_endpoint(text);
  return parse_endpoint(kDefaultHost);
}

Result<UniqueFd> connect_to(const Endpoint& endpoint) {
  return endpoint.kind == Endpoint::Kind::kUnix ? connect_unix(endpoint) : connect_tcp(endpoint);
}

}  // namespace berth::cli
