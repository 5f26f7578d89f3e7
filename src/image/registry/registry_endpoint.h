// RegistryEndpoint: requests about one repository to one server, who asks being told where the
// server wants to know. The user's credentials are the registry's own: they go to its host, over
// TLS or on this machine, and to nobody else; a mirror is told those of its own host. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "image/reference/reference.h"
#include "image/registry/authorizer.h"
#include "image/registry/credentials.h"
#include "image/registry/http_client.h"
#include "image/registry/patience.h"
#include "image/registry/registry_host.h"

namespace berth::image {

/// What is asked for: a path below the repository, with a slash before it below the API's root or
/// the host, or a whole address that the server gave.
struct RegistryRequest {
  std::string path = {};
  bool below_host = false;
  std::vector<std::pair<std::string, std::string>> fields = {};
  std::stop_token stop = {};
  std::string method = "GET";
  std::string address = {};
  std::string body = {};
  HttpUpload upload = {};
  std::function<void(std::uint64_t)> sent = {};
};

class RegistryEndpoint {
 public:
  /// kInvalid: a file of the host's configuration cannot be read; kUnsupported: it has several
  /// clients. `silence`: see HttpSettings.
  static Result<std::unique_ptr<RegistryEndpoint>> create(const Reference& name, RegistryHost host,
                                                          const Credentials& credentials,
                                                          const CredentialsByHost& others,
                                                          const std::vector<std::string>& scopes,
                                                          std::chrono::seconds silence);

  /// One request, authorized.
  Result<HttpResponse> send(const RegistryRequest& request);
  /// The same, tried again while that may help.
  Result<HttpResponse> send(const RegistryRequest& request, Patience& patience);

  /// The address in a response's Location. `asked`: the address that answered; empty: a path of the
  /// repository. kInvalid: it is none.
  Result<std::string> location_of(const HttpResponse& response, const std::string& asked);

  /// The same of any link. `asked`: the address whose answer had it.
  Result<std::string> resolve(const std::string& link, const std::string& asked);

  const RegistryHost& host() const { return host_; }
  /// A mirror that failed is not asked again.
  void give_up() { given_up_ = true; }
  bool given_up() const { return given_up_; }

 private:
  RegistryEndpoint(const Reference& name, RegistryHost host, HttpClient http,
                   const Credentials& credentials, const std::vector<std::string>& scopes);
  Result<HttpResponse> attempt(const RegistryRequest& request);
  std::string url_of(const RegistryRequest& request) const;

  const RegistryHost host_;
  const std::string name_;   // for the log
  const std::string path_;   // of the repository: "library/busybox"
  const std::string query_;  // "ns=docker.io", which tells a mirror whose repository is meant
  const HttpClient http_;
  std::atomic<bool> given_up_ = false;

  std::mutex mutex_;  // guards what follows
  Authorizer authorizer_;
  std::string root_;   // of the API: "https://host:port/v2"
  bool may_be_plain_;  // it is not known yet whether it speaks TLS
};

}  // namespace berth::image
