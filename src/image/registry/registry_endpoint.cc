#include "image/registry/registry_endpoint.h"

#include "base/log.h"
#include "sys/file.h"

namespace berth::image {
namespace {

/// All authorities that there are have fewer.
constexpr std::size_t kMaxPemBytes = 4U << 20;

bool is_registry(const RegistryHost& host, const Reference& name) {
  const std::string_view server = authority_of(host.address);
  return server == server_of(name.domain()) ||
         (name.domain() == "docker.io" && server == "index.docker.io");
}

Credentials credentials_for(const RegistryHost& host, const Reference& name,
                            const Credentials& credentials, const CredentialsByHost& others) {
  const std::string server(authority_of(host.address));
  if (!host.address.starts_with("https://") && !is_loopback(server)) return {};
  if (is_registry(host, name)) return credentials;
  const auto found = others.find(server);
  return found == others.end() ? Credentials() : found->second;
}

Result<std::string> read_pem(const std::string& path) {
  auto text = sys::read_file(path, kMaxPemBytes);
  if (!text.ok()) return std::move(text).error().with_kind(ErrorKind::kInvalid);
  return std::move(*text) + "\n";
}

Result<HttpSettings> settings_of(const RegistryHost& host, std::chrono::seconds silence) {
  HttpSettings settings{
      .connect_timeout = host.connect_timeout, .silence = silence, .proxy = host.proxy};
  settings.tls.verify = !host.skip_verify;
  for (const std::string& path : host.authorities) settings.tls.authorities += TRY(read_pem(path));
  if (host.clients.size() > 1)
    return fail(ErrorKind::kUnsupported,
                "{} and {}: a server is told of one client's certificate: leave one",
                host.clients[0].certificate, host.clients[1].certificate);
  for (const auto& [certificate, key] : host.clients) {
    TRY(read_pem(certificate));
    settings.tls.certificate = certificate;
    settings.tls.key = key.empty() ? certificate : key;
    TRY(read_pem(settings.tls.key));
  }
  return settings;
}

}  // namespace

Result<std::unique_ptr<RegistryEndpoint>> RegistryEndpoint::create(
    const Reference& name, RegistryHost host, const Credentials& credentials,
    const CredentialsByHost& others, const std::vector<std::string>& scopes,
    std::chrono::seconds silence) {
  HttpClient http(TRY(settings_of(host, silence)));
  const Credentials known = credentials_for(host, name, credentials, others);
  return std::unique_ptr<RegistryEndpoint>(
      new RegistryEndpoint(name, std::move(host), std::move(http), known, scopes));
}

RegistryEndpoint::RegistryEndpoint(const Reference& name, RegistryHost host, HttpClient http,
                                   const Credentials& credentials,
                                   const std::vector<std::string>& scopes)
    : host_(std::move(host)),
      name_(name.familiar()),
      path_(name.path()),
      query_(is_registry(host_, name) ? "" : "ns=" + percent_encode(name.domain())),
      http_(std::move(http)),
      authorizer_(http_, credentials, scopes),
      root_(host_.address),
      may_be_plain_(host_.may_be_plain) {}

std::string RegistryEndpoint::url_of(const RegistryRequest& request) const {
  if (!request.address.empty()) return request.address;
  std::string url = request.below_host ? std::string(origin_of(root_)) + request.path
                    : request.path.starts_with('/')
                        ? root_ + request.path
                        : fmt::format("{}/{}/{}", root_, path_, request.path);
  if (!query_.empty()) url += (url.find('?') == std::string::npos ? '?' : '&') + query_;
  return url;
}

Result<HttpResponse> RegistryEndpoint::attempt(const RegistryRequest& wanted) {
  HttpRequest request{.method = wanted.method,
                      .url = {},
                      .fields = wanted.fields,
                      .body = wanted.body,
                      .upload = wanted.upload,
                      .stop = wanted.stop,
                      .sent = wanted.sent};
  bool may_be_plain = false;
  {
    const std::scoped_lock lock(mutex_);
    may_be_plain = may_be_plain_;
    request.url = url_of(wanted);
    // An address that leads elsewhere is told nothing of us.
    if (origin_of(request.url) == origin_of(root_)) {
      request.fields.insert(request.fields.end(), host_.fields.begin(), host_.fields.end());
      if (!authorizer_.value().empty())
        request.fields.emplace_back("Authorization", authorizer_.value());
    }
  }
  auto response = http_.send(request);
  const bool no_tls = !response.ok() && response.error().kind() == ErrorKind::kUnsupported;
  if (!may_be_plain || (!response.ok() && !no_tls)) return response;
  {
    const std::scoped_lock lock(mutex_);
    may_be_plain_ = false;
    if (no_tls) root_.replace(0, root_.find(':'), "http");
  }
  return no_tls ? attempt(wanted) : std::move(response);
}

Result<HttpResponse> RegistryEndpoint::send(const RegistryRequest& request) {
  auto response = attempt(request);
  if (!response.ok() || response->status != 401) return response;
  {
    const std::scoped_lock lock(mutex_);
    // A server that a redirect or an address led to is not the one to ask who we are.
    if (origin_of(response->url) != origin_of(root_)) return response;
    if (!TRY(authorizer_.answer(root_, response->get("www-authenticate")))) return response;
  }
  return attempt(request);
}

Result<HttpResponse> RegistryEndpoint::send(const RegistryRequest& request, Patience& patience) {
  for (;;) {
    auto response = send(request);
    if (response.ok() ? !is_transient(response->status) : !is_transient(response.error()))
      return response;
    log::info("{}: {}", name_,
              response.ok() ? fmt::format("the registry answers {}", response->status)
                            : response.error().message());
    if (!patience.again(request.stop, response.ok() ? response->get("retry-after") : ""))
      return response;
  }
}

Result<std::string> RegistryEndpoint::location_of(const HttpResponse& response,
                                                  const std::string& asked) {
  return resolve(response.get("location"), asked).context("an upload");
}

Result<std::string> RegistryEndpoint::resolve(const std::string& location,
                                              const std::string& asked) {
  const std::scoped_lock lock(mutex_);
  const std::string_view own = origin_of(root_);
  if (location.starts_with('/'))
    return std::string(asked.empty() ? own : origin_of(asked)) + location;
  const std::string_view origin = origin_of(location);
  if (origin.empty() || location.find_first_of("\r\n ") != std::string::npos)
    return fail(ErrorKind::kInvalid, "the registry leads to '{}', which is no address", location);
  // One behind a proxy may not know that it is spoken to with TLS.
  if (authority_of(location) == authority_of(root_))
    return std::string(own) + location.substr(origin.size());
  return location;
}

}  // namespace berth::image
