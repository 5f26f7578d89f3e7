#include "image/registry/registry_client.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <thread>

#include "base/json.h"
#include "base/log.h"
#include "image/content/hasher.h"
#include "image/registry/registry_error.h"

namespace berth::image {
namespace {

constexpr int kAttempts = 5;
constexpr std::chrono::milliseconds kFirstPause{200};
constexpr std::chrono::seconds kLongestPause{30};

// Docker Hub answers at another name than it is called by.
std::string host_of(const std::string& domain) {
  return domain == "docker.io" ? "registry-1.docker.io" : domain;
}

std::vector<std::string> scopes(const Reference& name, const RegistryOptions& options) {
  using Access = RegistryOptions::Access;
  if (options.access == Access::kLogin) return {};
  const char* const what = options.access == Access::kPush ? "pull,push" : "pull";
  std::vector<std::string> all = {fmt::format("repository:{}:{}", name.path(), what)};
  for (const std::string& other : options.mounts)
    all.push_back(fmt::format("repository:{}:pull", other));
  return all;
}

Result<TlsFiles> find_certificates(const std::string& directory) {
  TlsFiles files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::filesystem::path& path = entry.path();
    if (path.extension() == ".crt") files.authorities = path;
    if (path.extension() == ".cert") files.certificate = path;
    if (path.extension() == ".key") files.key = path;
  }
  if (files.certificate.empty() != files.key.empty())
    return fail(ErrorKind::kInvalid, "{} has a client's {} without its {}", directory,
                files.key.empty() ? "certificate" : "key",
                files.key.empty() ? "key" : "certificate");
  return files;
}

bool is_transient(int status) {
  return status == 429 || status >= 500;
}

bool is_transient(const Error& error) {
  return error.kind() == ErrorKind::kInternal && error.os_errno() != EHOSTUNREACH;
}

// Retry-After in seconds (RFC 9110, 10.2.3); its dates are not used by registries.
std::chrono::milliseconds pause_before(int attempt, const std::string& retry_after) {
  long seconds = 0;
  const char* const end = retry_after.data() + retry_after.size();
  if (std::from_chars(retry_after.data(), end, seconds).ec == std::errc() && seconds > 0)
    return std::min<std::chrono::milliseconds>(std::chrono::seconds(seconds), kLongestPause);
  return kFirstPause * (1 << attempt);
}

}  // namespace

Result<Reference> repository_at(std::string_view server) {
  std::string_view host =
      server.substr(server.find("://") == std::string_view::npos ? 0 : server.find("://") + 3);
  host = host.substr(0, host.find('/'));
  if (host.empty() || host == "index.docker.io" || host == "registry-1.docker.io")
    host = "docker.io";
  const auto name = Reference::parse(std::string(host) + "/library/login");
  if (name.ok() && name->domain() == host) return *name;
  return fail(ErrorKind::kInvalid, "'{}' is no address of a registry", server);
}

bool is_loopback(std::string_view domain) {
  if (domain.starts_with('[')) return domain.starts_with("[::1]");
  const std::string_view host = domain.substr(0, domain.rfind(':'));
  return host == "localhost" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == host.npos);
}

Result<std::unique_ptr<RegistryClient>> RegistryClient::open(const Reference& name,
                                                             const RegistryOptions& options) {
  TlsFiles tls = TRY(find_certificates(options.certificates + "/" + name.domain()));
  tls.verify = !is_loopback(name.domain());
  return std::unique_ptr<RegistryClient>(
      new RegistryClient(name, HttpClient(std::move(tls)), options));
}

RegistryClient::RegistryClient(Reference name, HttpClient http, const RegistryOptions& options)
    : name_(std::move(name)),
      http_(std::move(http)),
      authorizer_(http_, options.credentials, scopes(name_, options)),
      base_("https://" + host_of(name_.domain())),
      may_be_plain_(is_loopback(name_.domain())) {}

Result<HttpResponse> RegistryClient::attempt(const Wanted& wanted) {
  HttpRequest request;
  request.method = wanted.method;
  request.fields = wanted.fields;
  request.stop = wanted.stop;
  request.body = wanted.body;
  request.upload = wanted.upload;
  request.sent = wanted.sent;
  bool may_be_plain = false;
  {
    const std::scoped_lock lock(mutex_);
    may_be_plain = may_be_plain_;
    request.url = !wanted.address.empty() ? wanted.address
                  : wanted.path.starts_with('/')
                      ? base_ + wanted.path
                      : fmt::format("{}/v2/{}/{}", base_, name_.path(), wanted.path);
    // An address that leads elsewhere is told nothing of us.
    if (!authorizer_.value().empty() && request.url.starts_with(base_ + "/"))
      request.fields.emplace_back("Authorization", authorizer_.value());
  }
  auto response = http_.send(request);
  const bool no_tls = !response.ok() && response.error().kind() == ErrorKind::kUnsupported;
  if (!may_be_plain || (!response.ok() && !no_tls)) return response;
  {
    const std::scoped_lock lock(mutex_);
    may_be_plain_ = false;
    if (no_tls) base_.replace(0, base_.find(':'), "http");
  }
  return no_tls ? attempt(wanted) : std::move(response);
}

Result<HttpResponse> RegistryClient::authorized(const Wanted& wanted) {
  auto response = attempt(wanted);
  if (!response.ok() || response->status != 401) return response;
  {
    const std::scoped_lock lock(mutex_);
    if (!TRY(authorizer_.answer(base_, response->get("www-authenticate")))) return response;
  }
  return attempt(wanted);
}

Result<HttpResponse> RegistryClient::request(const Wanted& wanted) {
  for (int i = 0;; ++i) {
    auto response = authorized(wanted);
    const bool again =
        response.ok() ? is_transient(response->status) : is_transient(response.error());
    if (!again || i + 1 == kAttempts || wanted.stop.stop_requested()) return response;
    const auto pause = pause_before(i, response.ok() ? response->get("retry-after") : "");
    log::info("{}: {}; trying again in {} ms", name_.familiar(),
              response.ok() ? fmt::format("the registry answers {}", response->status)
                            : response.error().message(),
              pause.count());
    std::this_thread::sleep_for(pause);
  }
}

Result<RegistryClient::Document> RegistryClient::manifest(const std::string& which,
                                                          std::stop_token stop) {
  HttpResponse response = TRY(request({.path = "manifests/" + which,
                                       .fields = {{"Accept", std::string(manifest_types())}},
                                       .stop = std::move(stop)}));
  if (response.status == 401 || response.status == 403)
    return fail(ErrorKind::kNotFound,
                "pull access denied for {}, repository does not exist or may require 'docker "
                "login': {}",
                name_.familiar_repository(), reason_of(response));
  if (response.status == 404)
    return fail(ErrorKind::kNotFound, "manifest for {} not found: {}", name_.familiar(),
                reason_of(response));
  if (response.status == 429) return fail(ErrorKind::kExhausted, "{}", reason_of(response));
  if (response.status != 200)
    return fail(ErrorKind::kInternal, "the registry answers {} for the manifest of {}: {}",
                response.status, name_.familiar(), reason_of(response));
  Document document;
  document.text = TRY(response.text(kMaxJsonBytes).context("the manifest of " + name_.familiar()));
  document.digest = Sha256::of(document.text).str();
  if (which.find(':') != std::string::npos && which != document.digest)
    return fail(ErrorKind::kCorrupt, "the registry sent {} in the place of {}", document.digest,
                which);
  return document;
}

Result<std::unique_ptr<ByteSource>> RegistryClient::blob(const std::string& digest,
                                                         std::uint64_t offset,
                                                         std::stop_token stop) {
  Wanted wanted{.path = "blobs/" + digest, .stop = std::move(stop)};
  if (offset > 0) wanted.fields.emplace_back("Range", fmt::format("bytes={}-", offset));
  HttpResponse response = TRY(request(wanted));
  if (response.status == 404)
    return fail(ErrorKind::kNotFound, "the registry lacks {}, which its manifest lists", digest);
  if (response.status != 200 && response.status != 206)
    return fail(ErrorKind::kInternal, "the registry answers {} for {}: {}", response.status, digest,
                reason_of(response));
  // It may not know of ranges and begin anew.
  std::vector<std::byte> skipped(64U << 10);
  for (std::uint64_t left = response.status == 200 ? offset : 0; left > 0;) {
    const auto part = std::span(skipped).first(std::min<std::uint64_t>(left, skipped.size()));
    const std::size_t count = TRY(response.body->read(part));
    if (count == 0) return fail(ErrorKind::kCorrupt, "{} ends before byte {}", digest, offset);
    left -= count;
  }
  return std::move(response.body);
}

}  // namespace berth::image
