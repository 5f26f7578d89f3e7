#include "image/registry/registry_client.h"

#include <algorithm>

#include "base/json.h"
#include "base/log.h"
#include "image/content/hasher.h"
#include "image/registry/registry_error.h"

namespace berth::image {
namespace {

std::vector<std::string> scopes(const Reference& name, const RegistryOptions& options) {
  using Access = RegistryOptions::Access;
  if (options.access == Access::kLogin) return {};
  const char* const what = options.access == Access::kPush ? "pull,push" : "pull";
  std::vector<std::string> all = {fmt::format("repository:{}:{}", name.path(), what)};
  for (const std::string& other : options.mounts)
    all.push_back(fmt::format("repository:{}:pull", other));
  return all;
}

/// Passes on what a mirror sends; if that breaks, others are asked for the rest.
class MirrorSource final : public ByteSource {
 public:
  MirrorSource(RegistryEndpoint& from, std::unique_ptr<ByteSource> bytes)
      : from_(from), bytes_(std::move(bytes)) {}

  Result<std::size_t> read(std::span<std::byte> into) override {
    auto count = bytes_->read(into);
    if (count.ok() && (*count > 0 || gave_)) {
      gave_ = true;
      return count;
    }
    if (!count.ok() && count.error().kind() == ErrorKind::kConflict) return count;
    log::warning("mirror {}: {}", from_.host().address,
                 count.ok() ? "it has nothing more to send" : count.error().message());
    from_.give_up();
    return count;
  }

 private:
  bool gave_ = false;
  RegistryEndpoint& from_;
  const std::unique_ptr<ByteSource> bytes_;
};

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

Result<std::unique_ptr<RegistryClient>> RegistryClient::open(const Reference& name,
                                                             const RegistryOptions& options) {
  std::vector<std::unique_ptr<RegistryEndpoint>> endpoints;
  for (RegistryHost& host : TRY(find_hosts(options.settings.certificates, name.domain())))
    endpoints.push_back(
        TRY(RegistryEndpoint::create(name, std::move(host), options.credentials, options.others,
                                     scopes(name, options), options.settings.silence)));
  return std::unique_ptr<RegistryClient>(new RegistryClient(name, std::move(endpoints)));
}

Result<RegistryClient::Answer> RegistryClient::ask(const RegistryRequest& request, Ability ability,
                                                   Patience& patience) {
  for (const auto& endpoint : endpoints_) {
    if (endpoint->given_up() || !(endpoint->host().*ability)) continue;
    if (endpoint.get() == &registry())
      return Answer{TRY(endpoint->send(request, patience)), endpoint.get()};
    auto response = endpoint->send(request);
    if (response.ok() && (response->status == 200 || response->status == 206))
      return Answer{std::move(*response), endpoint.get()};
    if (request.stop.stop_requested())
      return fail(ErrorKind::kConflict, "{}: given up", name_.familiar());
    if (response.ok() && response->status == 404) continue;
    log::warning("mirror {}: {}; going on without it", endpoint->host().address,
                 response.ok() ? fmt::format("it answers {}", response->status)
                               : response.error().message());
    endpoint->give_up();
  }
  return fail(ErrorKind::kNotFound,
              "no mirror of {} has what is asked for, and its hosts.toml says that the registry "
              "is not to be asked",
              name_.domain());
}

bool RegistryClient::has_other_than(RegistryEndpoint& from, const Error& error) {
  if (&from == &registry() || error.kind() == ErrorKind::kConflict) return false;
  log::warning("mirror {}: {}", from.host().address, error.message());
  if (error.kind() == ErrorKind::kCorrupt) drop_mirrors();
  from.give_up();
  return true;
}

void RegistryClient::drop_mirrors() {
  for (const auto& endpoint : endpoints_) {
    if (endpoint.get() == &registry() || endpoint->given_up()) continue;
    log::warning("mirror {}: what came was wrong; going on without it", endpoint->host().address);
    endpoint->give_up();
  }
}

Result<RegistryEndpoint*> RegistryClient::pusher() const {
  for (const auto& endpoint : endpoints_)
    if (endpoint->host().pushes) return endpoint.get();
  return fail(ErrorKind::kUnsupported,
              "{} is not to be pushed to: no host in its hosts.toml has the capability",
              name_.domain());
}

Result<RegistryClient::Document> RegistryClient::manifest(const std::string& which,
                                                          std::stop_token stop) {
  const bool by_digest = which.find(':') != std::string::npos;
  const RegistryRequest request{.path = "manifests/" + which,
                                .fields = {{"Accept", std::string(manifest_types())}},
                                .stop = std::move(stop)};
  Patience patience;
  for (;;) {
    Answer answer =
        TRY(ask(request, by_digest ? &RegistryHost::pulls : &RegistryHost::resolves, patience));
    auto document = read_manifest(answer.response, which);
    if (document.ok()) return document;
    const bool again = has_other_than(*answer.from, document.error()) ||
                       (is_transient(document.error()) && patience.again(request.stop));
    if (!again) return document;
  }
}

Result<RegistryClient::Document> RegistryClient::read_manifest(HttpResponse& response,
                                                               const std::string& which) const {
  if (response.status == 401 || response.status == 403)
    return fail(ErrorKind::kNotFound,
                "pull access denied for {}, repository does not exist or may require 'docker "
                "login': {}",
                name_.familiar_repository(), reason_of(response));
  if (response.status == 404)
    return fail(ErrorKind::kNotFound, "manifest for {} not found: {}", name_.familiar(),
                reason_of(response));
  if (response.status == 429) return fail(ErrorKind::kExhausted, "{}", reason_of(response));
  if (response.status != 200) return answer_to(response, "the manifest of " + name_.familiar());
  Document document;
  document.text = TRY(response.text(kMaxJsonBytes).context("the manifest of " + name_.familiar()));
  document.digest = sha256_of(document.text).str();
  if (which.find(':') == std::string::npos) return document;
  if (!is_digest_of(TRY(Digest::parse(which)), document.text))
    return fail(ErrorKind::kCorrupt, "the registry sent {} in the place of {}", document.digest,
                which);
  document.digest = which;
  return document;
}

Result<std::unique_ptr<ByteSource>> RegistryClient::blob(const std::string& digest,
                                                         std::uint64_t offset, Patience& patience,
                                                         std::stop_token stop) {
  RegistryRequest request{.path = "blobs/" + digest, .stop = std::move(stop)};
  if (offset > 0) request.fields.emplace_back("Range", fmt::format("bytes={}-", offset));
  Answer answer = TRY(ask(request, &RegistryHost::pulls, patience));
  HttpResponse& response = answer.response;
  if (response.status == 404)
    return fail(ErrorKind::kNotFound, "the registry lacks {}, which its manifest lists", digest);
  if (response.status == 401 || response.status == 403)
    return fail(ErrorKind::kPermission, "the registry does not give {} away: {}", digest,
                reason_of(response));
  if (response.status == 429) return fail(ErrorKind::kExhausted, "{}", reason_of(response));
  if (response.status != 200 && response.status != 206) return answer_to(response, digest);
  const bool is_mirror = answer.from != &registry();
  auto bytes = response.body_from(offset);
  if (!bytes.ok() && is_mirror) answer.from->give_up();
  if (!bytes.ok() || !is_mirror) return bytes;
  return std::unique_ptr<ByteSource>(
      std::make_unique<MirrorSource>(*answer.from, std::move(*bytes)));
}

Result<std::string> RegistryClient::small_blob(const std::string& digest, std::size_t max_bytes,
                                               std::stop_token stop) {
  Patience patience;
  const auto fetch = [&]() -> Result<std::string> {
    HttpResponse response;
    response.body = TRY(blob(digest, 0, patience, stop));
    std::string text = TRY(response.text(max_bytes).context(digest));
    if (!is_digest_of(TRY(Digest::parse(digest)), text))
      return fail(ErrorKind::kCorrupt, "what arrived for {} is {}", digest, sha256_of(text).str());
    return text;
  };
  for (bool dropped = !has_mirrors();;) {
    auto text = fetch();
    if (text.ok()) return text;
    const Error& error = text.error();
    const bool again = error.kind() == ErrorKind::kCorrupt
                           ? !std::exchange(dropped, true)
                           : is_transient(error) && patience.again(stop);
    if (!again) return text;
    if (dropped) drop_mirrors();
  }
}

}  // namespace berth::image
