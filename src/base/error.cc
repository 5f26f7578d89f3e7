#include "base/error.h"

#include <cerrno>
#include <cstring>

namespace berth {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kNotFound:
      return "not found";
    case ErrorKind::kInvalid:
      return "invalid";
    case ErrorKind::kConflict:
      return "conflict";
    case ErrorKind::kUnsupported:
      return "unsupported";
    case ErrorKind::kPermission:
      return "permission denied";
    case ErrorKind::kCorrupt:
      return "corrupt";
    case ErrorKind::kExhausted:
      return "exhausted";
    case ErrorKind::kInternal:
      return "internal";
  }
  return "internal";
}

ErrorKind kind_of_errno(int os_errno) {
  switch (os_errno) {
    case ENOENT:
    case ESRCH:
    case ENODEV:
    case ENXIO:
      return ErrorKind::kNotFound;
    case EINVAL:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case E2BIG:
    case ENOEXEC:
      return ErrorKind::kInvalid;
    case EEXIST:
    case EBUSY:
    case ENOTEMPTY:
    case EADDRINUSE:
      return ErrorKind::kConflict;
    case ENOSYS:
    case EOPNOTSUPP:
    case EPROTONOSUPPORT:
    case EAFNOSUPPORT:
      return ErrorKind::kUnsupported;
    case EPERM:
    case EACCES:
    case EROFS:
      return ErrorKind::kPermission;
    case ENOSPC:
    case EDQUOT:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case EFBIG:
      return ErrorKind::kExhausted;
    default:
      return ErrorKind::kInternal;
  }
}

Error Error::from_errno(int os_errno, std::string_view operation) {
  char buffer[128];
  // The GNU strerror_r returns the text and may leave the buffer unused (strerror(3)).
  const char* text = strerror_r(os_errno, buffer, sizeof buffer);
  return Error(kind_of_errno(os_errno), fmt::format("{}: {}", operation, text), os_errno);
}

Error Error::context(std::string_view noun) && {
  message_.insert(0, ": ").insert(0, noun);
  return std::move(*this);
}

}  // namespace berth
