// RegistryClient: one repository of one registry, over the distribution protocol: manifests by tag
// or digest, blobs by digest. Source: opencontainers/distribution-spec 1.1, "Pull", "Push".
// Mirrors are asked first, once each: one that fails is not asked again, one that lacks a thing is
// passed over for it, and one that sent wrong bytes is the end of all of them. The registry comes
// last, and is asked again where that may help. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_source.h"
#include "base/result.h"
#include "image/manifest/manifest.h"
#include "image/reference/reference.h"
#include "image/registry/credentials.h"
#include "image/registry/registry_endpoint.h"
#include "image/registry/registry_settings.h"

namespace berth::image {

struct RegistryOptions {
  Credentials credentials;
  CredentialsByHost others = {};  // mirrors'
  RegistrySettings settings = {};
  enum class Access : std::uint8_t { kPull, kPush, kLogin };
  Access access = Access::kPull;
  /// Repositories of the same registry whose blobs may be taken over: "library/busybox".
  std::vector<std::string> mounts = {};
};

class RegistryClient {
 public:
  struct Document {
    std::string text;    // byte for byte
    std::string digest;  // of the text: the one that was asked for, or sha256
  };

  /// For the repository of `name`. kInvalid: the registry's directory has a file that is bad, or
  /// lacks one.
  static Result<std::unique_ptr<RegistryClient>> open(const Reference& name,
                                                      const RegistryOptions& options);

  /// `which`: a tag or a digest. kNotFound: there is none, or one has to log in. kCorrupt: the
  /// text is not what the digest says.
  Result<Document> manifest(const std::string& which, std::stop_token stop = {});

  /// The bytes of a blob from `offset` on, unverified. `patience`: of all tries to get the blob.
  Result<std::unique_ptr<ByteSource>> blob(const std::string& digest, std::uint64_t offset,
                                           Patience& patience, std::stop_token stop = {});
  /// A small blob whole. kCorrupt: it is not what the digest says.
  Result<std::string> small_blob(const std::string& digest, std::size_t max_bytes,
                                 std::stop_token stop = {});
  /// Whether anything may have come from a mirror.
  bool has_mirrors() const { return endpoints_.size() > 1; }
  /// What came was wrong: no mirror is asked any more.
  void drop_mirrors();

  /// Every tag of the repository, as the registry lists them.
  Result<std::vector<std::string>> tags(std::stop_token stop = {});

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
  using Ability = bool RegistryHost::*;
  struct Answer {
    HttpResponse response;
    RegistryEndpoint* from = nullptr;
  };

  RegistryClient(Reference name, std::vector<std::unique_ptr<RegistryEndpoint>> endpoints)
      : name_(std::move(name)), endpoints_(std::move(endpoints)) {}

  /// From the first who is trusted with it and has it, or what the registry says.
  Result<Answer> ask(const RegistryRequest& request, Ability ability, Patience& patience);
  /// Whether somebody else is to be asked for what this one sent.
  bool has_other_than(RegistryEndpoint& from, const Error& error);
  RegistryEndpoint& registry() const { return *endpoints_.back(); }
  /// Whom pushes go to.
  Result<RegistryEndpoint*> pusher() const;
  Result<Document> read_manifest(HttpResponse& response, const std::string& which) const;

  // registry_upload.cc
  struct UploadState {
    std::string address = {};    // where it goes on
    std::uint64_t furthest = 0;  // bytes that the registry had at most
    Patience patience = {};
  };
  Result<bool> has_blob(RegistryEndpoint& to, const BlobUpload& blob, Patience& patience,
                        const std::stop_token& stop) const;
  Result<Upload> send_blob(RegistryEndpoint& to, const BlobUpload& blob, UploadState& state,
                           const std::stop_token& stop) const;
  /// Bytes that an upload has, by what the registry says; nothing: it knows of none.
  Result<std::optional<std::uint64_t>> received(RegistryEndpoint& to, UploadState& state,
                                                const std::stop_token& stop) const;
  Error refusal(HttpResponse& response, std::string_view what) const;

  const Reference name_;
  const std::vector<std::unique_ptr<RegistryEndpoint>> endpoints_;  // the registry is the last
};

/// What a user calls a registry, "reg.example:5000", "https://index.docker.io/v1/" or nothing
/// (Docker Hub), as the name of a repository there. kInvalid: it can be none.
Result<Reference> repository_at(std::string_view server);

}  // namespace berth::image
