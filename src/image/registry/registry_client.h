// RegistryClient: one repository of one registry, over the distribution protocol: manifests by tag
// or digest, blobs by digest. Source: opencontainers/distribution-spec 1.1, "Pull". What can be
// tried again is: lost connections, 5xx and 429, with growing pauses. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_source.h"
#include "base/result.h"
#include "image/manifest/manifest.h"
#include "image/reference/reference.h"
#include "image/registry/authorizer.h"
#include "image/registry/credentials.h"
#include "image/registry/http_client.h"

namespace berth::image {

struct RegistryOptions {
  Credentials credentials;
  /// Docker's certs.d: <host>/*.crt are authorities, <host>/*.cert with *.key is who we are.
  std::string certificates = "/etc/docker/certs.d";
};

class RegistryClient {
 public:
  struct Document {
    std::string text;    // byte for byte
    std::string digest;  // of the text
  };

  /// For the repository of `name`. kInvalid: its directory of certificates is not complete.
  static Result<std::unique_ptr<RegistryClient>> open(const Reference& name,
                                                      const RegistryOptions& options);

  /// `which`: a tag or a digest. kNotFound: there is none, or one has to log in. kCorrupt: the
  /// text is not what the digest says.
  Result<Document> manifest(const std::string& which, std::stop_token stop = {});

  /// The bytes of a blob from `offset` on, unverified.
  Result<std::unique_ptr<ByteSource>> blob(const std::string& digest, std::uint64_t offset,
                                           std::stop_token stop = {});

 private:
  RegistryClient(Reference name, HttpClient http, Credentials credentials, std::string base);

  /// What is asked for: a path below the repository, and fields.
  struct Wanted {
    std::string path;
    std::vector<std::pair<std::string, std::string>> fields;
    std::stop_token stop;
  };
  /// One request, authorized, tried again where that may help.
  Result<HttpResponse> get(const Wanted& wanted);
  Result<HttpResponse> authorized(const Wanted& wanted);
  Result<HttpResponse> attempt(const Wanted& wanted);

  const Reference name_;
  const HttpClient http_;

  std::mutex mutex_;  // guards what follows
  Authorizer authorizer_;
  std::string base_;   // "https://host:port"
  bool may_be_plain_;  // a registry on this machine may speak HTTP without TLS
};

/// "127.0.0.1:5000", "localhost", "[::1]:5000": this machine. As for Docker, nobody is between, so
/// its certificate may be anyone's, and TLS may be missing.
bool is_loopback(std::string_view domain);

}  // namespace berth::image
