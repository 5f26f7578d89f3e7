#include "api/docker/errors.h"

#include "base/json.h"

namespace berth::docker {

int http_status(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kNotFound:
      return 404;
    case ErrorKind::kInvalid:
      return 400;
    case ErrorKind::kConflict:
      return 409;
    case ErrorKind::kUnsupported:
      return 501;
    case ErrorKind::kPermission:
      return 403;
    case ErrorKind::kExhausted:
      return 507;
    case ErrorKind::kCorrupt:
    case ErrorKind::kInternal:
      break;
  }
  return 500;
}

int http_status(const Error& error) {
  return http_status(error.kind());
}

std::string error_body(std::string_view message) {
  return dump_json(Json{{"message", std::string(message)}}) + "\n";
}

}  // namespace berth::docker
