// Client: the engine as the verbs see it: calls that answer or fail with the sentence to show. One
// connection is kept alive for the calls; streams (attach, wait, events) get connections of their
// own. Blocking; one thread.
//
// Paths carry no version unless $BERTH_API_VERSION or $DOCKER_API_VERSION names one: an engine then
// answers in its own version, and the round trip that would ask for it is saved.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "berth/client/endpoint.h"
#include "berth/client/http.h"
#include "berth/client/target.h"

namespace berth::cli {

class Client {
 public:
  explicit Client(Endpoint endpoint);

  const Endpoint& endpoint() const { return endpoint_; }

  /// Sends and waits for the answer. A status of 400 or more is an error: its kind from the status,
  /// its text "Error response from daemon: <the engine's message>".
  Result<std::string> call(std::string_view method, const Target& target, std::string body = {});

  // The two halves of call(), for those who have something to do while the engine thinks.
  Result<HttpConnection> begin(std::string_view method, const Target& target,
                               std::string body = {});
  Result<std::string> finish(HttpConnection connection);

  /// A new connection, to stream over.
  Result<HttpConnection> open() const;

  /// A request on `connection`, made ready: the version prefix is added.
  Result<void> send(HttpConnection& connection, std::string_view method, const Target& target,
                    bool upgrade = false) const;
  Result<void> send(HttpConnection& connection, std::string_view method, const Target& target,
                    ByteSource& body) const;
  /// With who the user is to a registry: registry_auth.h.
  Result<void> send_with_auth(HttpConnection& connection, std::string_view method,
                              const Target& target, std::string registry_auth,
                              std::string registry_config = {}) const;

  /// call() of that, on a connection of its own.
  Result<std::string> call_with_auth(std::string_view method, const Target& target,
                                     std::string registry_auth) const;

  /// Reads the answer's head; an error status becomes the error that call() would give.
  static Result<ResponseHead> receive_head(HttpConnection& connection);

 private:
  std::string versioned(const Target& target) const { return version_prefix_ + target.str(); }

  Endpoint endpoint_;
  std::string version_prefix_;
  std::optional<HttpConnection> kept_;
};

/// The error that an answer of `status` with this body stands for.
Error engine_error(unsigned status, std::string_view body);

}  // namespace berth::cli
