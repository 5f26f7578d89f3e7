// Listener: a bound and listening socket, and the socket's file, which goes when the listener does.
#pragma once

#include <sys/types.h>

#include <string>

#include "api/http/address.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace berth::http {

class Listener {
 public:
  /// Members of this group may use the API, if the host has it; root alone otherwise.
  static constexpr const char* kGroup = "berth";

  /// Binds and listens. The file of a daemon that died is replaced; kConflict if a live one answers
  /// there, or the port is taken.
  static Result<Listener> open(Address address);

  Listener(Listener&&) noexcept = default;
  Listener& operator=(Listener&&) = delete;
  ~Listener();

  int fd() const { return socket_.get(); }
  /// With the port that the kernel chose, if it was left open.
  const Address& address() const { return address_; }

 private:
  Listener(Address address, UniqueFd socket)
      : address_(std::move(address)), socket_(std::move(socket)) {}
  static Result<Listener> open_unix(Address address);
  static Result<Listener> open_tcp(Address address);

  Address address_;
  UniqueFd socket_;
  // The file that bind made: it is removed only while it is still that one.
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace berth::http
