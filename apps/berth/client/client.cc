#include "berth/client/client.h"

#include <array>
#include <cstdlib>
#include <span>

#include "base/json.h"

namespace berth::cli {
namespace {

struct StatusKind {
  unsigned status;
  ErrorKind kind;
};
constexpr std::array<StatusKind, 8> kStatusKinds = {{{400, ErrorKind::kInvalid},
                                                     {401, ErrorKind::kPermission},
                                                     {403, ErrorKind::kPermission},
                                                     {404, ErrorKind::kNotFound},
                                                     {405, ErrorKind::kUnsupported},
                                                     {409, ErrorKind::kConflict},
                                                     {501, ErrorKind::kUnsupported},
                                                     {507, ErrorKind::kExhausted}}};

std::string version_prefix() {
  for (const char* name : {"BERTH_API_VERSION", "DOCKER_API_VERSION"})
    if (const char* version = std::getenv(name); version && *version != '\0')
      return fmt::format("/v{}", version);
  return {};
}

}  // namespace

Error engine_error(unsigned status, std::string_view body) {
  ErrorKind kind = ErrorKind::kInternal;
  for (const StatusKind& row : kStatusKinds)
    if (row.status == status) kind = row.kind;
  std::string message;
  if (const auto parsed = parse_json(body); parsed.ok())
    message = get_string(*parsed, "message").value_or("");
  // Something else than an engine may answer here: its text is shown on one line.
  if (message.empty()) message = body.substr(0, body.find('\n'));
  if (message.empty()) message = fmt::format("status {} without a reason", status);
  return fail(kind, "Error response from daemon: {}", message);
}

Client::Client(Endpoint endpoint)
    : endpoint_(std::move(endpoint)), version_prefix_(version_prefix()) {}

Result<HttpConnection> Client::open() const {
  return HttpConnection(TRY(connect_to(endpoint_)));
}

Result<HttpConnection> Client::begin(std::string_view method, const Target& target,
                                     std::string body) {
  // Out of its place while in use: a connection that failed is not used again.
  HttpConnection connection = kept_ ? std::move(*kept_) : TRY(open());
  kept_.reset();
  TRY(connection.send({.method = method, .target = versioned(target), .body = std::move(body)}));
  return connection;
}

Result<std::string> Client::finish(HttpConnection connection) {
  Response response = TRY(connection.receive());
  if (connection.reusable()) kept_ = std::move(connection);
  if (response.status >= 400) return engine_error(response.status, response.body);
  return std::move(response.body);
}

Result<std::string> Client::call(std::string_view method, const Target& target, std::string body) {
  return finish(TRY(begin(method, target, std::move(body))));
}

Result<void> Client::send(HttpConnection& connection, std::string_view method, const Target& target,
                          bool upgrade) const {
  return connection.send(
      {.method = method, .target = versioned(target), .body = {}, .upgrade = upgrade});
}

Result<void> Client::send(HttpConnection& connection, std::string_view method, const Target& target,
                          ByteSource& body) const {
  return connection.send({.method = method, .target = versioned(target), .body = {}}, body);
}

Result<void> Client::send_with_auth(HttpConnection& connection, std::string_view method,
                                    const Target& target, std::string registry_auth,
                                    std::string registry_config) const {
  return connection.send({.method = method,
                          .target = versioned(target),
                          .body = {},
                          .registry_auth = std::move(registry_auth),
                          .registry_config = std::move(registry_config)});
}

Result<std::string> Client::call_with_auth(std::string_view method, const Target& target,
                                           std::string registry_auth) const {
  HttpConnection connection = TRY(open());
  TRY(send_with_auth(connection, method, target, std::move(registry_auth)));
  Response response = TRY(connection.receive());
  if (response.status >= 400) return engine_error(response.status, response.body);
  return std::move(response.body);
}

Result<ResponseHead> Client::receive_head(HttpConnection& connection) {
  constexpr std::size_t kMaxErrorBytes = 64U << 10;
  const ResponseHead head = TRY(connection.receive_head());
  if (head.status < 400) return head;
  std::string body;
  std::array<char, 4096> piece;
  while (body.size() < kMaxErrorBytes) {
    const std::size_t got = TRY(connection.read_body(piece));
    if (got == 0) break;
    body.append(piece.data(), got);
  }
  return engine_error(head.status, body);
}

}  // namespace berth::cli
