// RegistryClient: one repository of one registry, over the distribution protocol: manifests by tag
// or digest, blobs by digest. Source: opencontainers/distribution-spec 1.1, "Pull", "Push".
// What can be tried again is: lost connections, 5xx and 429, with growing pauses. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
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
  enum class Access : std::uint8_t { kPull, kPush, kLogin };
  Access access = Access::kPull;
  /// Repositories of the same registry whose blobs may be taken over: "library/busybox".
  std::vector<std::string> mounts = {};
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

  enum class Upload : std::uint8_t { kExisted, kMounted, kSent };
  struct BlobUpload {
    std::string digest;
    std::uint64_t size = 0;
    int file = -1;           // borrowed; -1: not here, it must be there already
    std::string mount_from;  // one of RegistryOptions::mounts, or empty
    std::function<void(std::uint64_t)> sent = {};  // bytes, as they go
  };
  /// Sees to it that the registry has the blob. A transfer that broke goes on where it broke, if
  /// the registry can tell where that was. kPermission: one may not push; kNotFound: neither side
  /// has it; kCorrupt: the registry says that it is not what its digest says.
  Result<Upload> push_blob(const BlobUpload& blob, std::stop_token stop = {});
  /// Gives the manifest or index `text` the name `which`, a tag or its digest.
  Result<void> push_manifest(const std::string& which, const std::string& text,
                             std::stop_token stop = {});

  /// Whether the registry lets these credentials in. kPermission: it does not; kNotFound: what
  /// answers is no registry.
  Result<void> log_in(std::stop_token stop = {});

 private:
  RegistryClient(Reference name, HttpClient http, const RegistryOptions& options);

  /// What is asked for: a path below the repository, with a slash before it below the registry, or
  /// a whole address that the registry gave.
  struct Wanted {
    std::string path = {};
    std::vector<std::pair<std::string, std::string>> fields = {};
    std::stop_token stop = {};
    std::string method = "GET";
    std::string address = {};
    std::string body = {};
    HttpUpload upload = {};
    std::function<void(std::uint64_t)> sent = {};
  };
  /// One request, authorized, tried again where that may help.
  Result<HttpResponse> request(const Wanted& wanted);
  Result<HttpResponse> authorized(const Wanted& wanted);
  Result<HttpResponse> attempt(const Wanted& wanted);
  /// The address in a response's Location. `asked`: the address that answered; empty: a path of the
  /// repository.
  Result<std::string> location_of(const HttpResponse& response, const std::string& asked);
  Result<bool> has_blob(const BlobUpload& blob, const std::stop_token& stop);
  Result<Upload> send_blob(const BlobUpload& blob, std::string address,
                           const std::stop_token& stop);
  /// Bytes that an upload has, by what the registry says; nothing: it knows of none.
  Result<std::optional<std::uint64_t>> received(std::string& address, const std::stop_token& stop);
  Error refusal(HttpResponse& response, std::string_view what) const;

  const Reference name_;
  const HttpClient http_;

  std::mutex mutex_;  // guards what follows
  Authorizer authorizer_;
  std::string base_;   // "https://host:port"
  bool may_be_plain_;  // a registry on this machine may speak HTTP without TLS
};

/// What a user calls a registry, "reg.example:5000", "https://index.docker.io/v1/" or nothing
/// (Docker Hub), as the name of a repository there. kInvalid: it can be none.
Result<Reference> repository_at(std::string_view server);

/// "127.0.0.1:5000", "localhost", "[::1]:5000": this machine. As for Docker, nobody is between, so
/// its certificate may be anyone's, and TLS may be missing.
bool is_loopback(std::string_view domain);

}  // namespace berth::image
