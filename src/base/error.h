// Error: what a failed operation says. A value, cheap to move, made of a kind (what a caller may
// decide on), the errno behind it if there was one, and a sentence for the user. Each layer adds
// its own noun with context(); only apps/ and api/ turn a kind into an exit code or an HTTP status.
#pragma once

#include <fmt/format.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

namespace berth {

enum class ErrorKind {
  kNotFound,     // the named thing does not exist
  kInvalid,      // the caller's input is wrong; the text says which part
  kConflict,     // the thing exists already, or is in a state that forbids the call
  kUnsupported,  // this host or this version lacks the ability
  kPermission,   // the caller may not
  kCorrupt,      // stored or received bytes are not what they claim to be
  kExhausted,    // out of space, memory, addresses, ports, or over a cap
  kInternal,     // everything else: a system call failed for no reason of the caller's
};

/// The kind's name as it appears in logs ("not found", "invalid", ...).
std::string_view to_string(ErrorKind kind);

/// The kind that an errno most often stands for (ENOENT: kNotFound, ENOSPC: kExhausted, ...).
/// errno(3).
ErrorKind kind_of_errno(int os_errno);

class Error {
 public:
  Error(ErrorKind kind, std::string message, int os_errno = 0)
      : kind_(kind), os_errno_(os_errno), message_(std::move(message)) {}

  /// An error of a system call: "<operation>: <strerror>", its kind derived from `os_errno`.
  static Error from_errno(int os_errno, std::string_view operation);

  ErrorKind kind() const { return kind_; }
  /// The errno of the system call at the bottom of the chain, 0 if there was none.
  int os_errno() const { return os_errno_; }
  /// The whole sentence, outermost noun first.
  const std::string& message() const { return message_; }

  /// The same error with a layer's noun in front: "<noun>: <message>".
  Error context(std::string_view noun) &&;
  /// The same error under another kind, where a layer knows better than errno did.
  Error with_kind(ErrorKind kind) && {
    kind_ = kind;
    return std::move(*this);
  }

 private:
  ErrorKind kind_;
  int os_errno_;
  std::string message_;
};

/// Error made from a format string: `return fail(ErrorKind::kInvalid, "bad reference '{}'", text);`
template <typename... Args>
Error fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  return Error(kind, fmt::format(format, std::forward<Args>(args)...));
}

/// Error made from the current errno and a format string that names the operation and its
/// arguments. errno is read before anything is formatted.
template <typename... Args>
Error fail_errno(fmt::format_string<Args...> format, Args&&... args) {
  const int saved = errno;
  return Error::from_errno(saved, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace berth
