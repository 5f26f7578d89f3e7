#include "image/registry/distribution.h"

#include "base/json.h"
#include "image/registry/registry_client.h"
#include "image/registry/registry_error.h"
#include "image/store/image_config.h"

namespace berth::image {
namespace {

constexpr std::string_view kSearchHost = "index.docker.io";
constexpr std::size_t kMaxResults = 100;

Result<std::vector<Platform>> platforms_of(RegistryClient& client, const std::string& text,
                                           const std::stop_token& stop) {
  std::vector<Platform> all;
  auto document = parse_manifest(text);
  // What is no image has none.
  if (!document.ok() && document.error().kind() == ErrorKind::kUnsupported) return all;
  const auto parsed = TRY(std::move(document));
  if (const Index* index = std::get_if<Index>(&parsed)) {
    for (const Descriptor& entry : index->manifests) all.push_back(entry.platform);
    return all;
  }
  const Descriptor& config = std::get<Manifest>(parsed).config;
  const Json json = TRY(parse_json(TRY(client.small_blob(config.digest, kMaxJsonBytes, stop))));
  Platform platform{TRY(get_string(json, "os")), TRY(get_string(json, "architecture")),
                    TRY(get_string(json, "variant"))};
  if (!platform.empty()) all.push_back(std::move(platform));
  return all;
}

/// The host that a term begins with, and the rest: as the parts of a reference.
std::pair<std::string_view, std::string_view> split_term(std::string_view term) {
  const auto slash = term.find('/');
  if (slash == std::string_view::npos) return {{}, term};
  const std::string_view first = term.substr(0, slash);
  const bool is_host = first.find_first_of(".:") != std::string_view::npos || first == "localhost";
  return is_host ? std::pair(first, term.substr(slash + 1)) : std::pair(std::string_view(), term);
}

Result<SearchResult> parse_result(const Json& json) {
  if (!json.is_object()) return fail(ErrorKind::kInvalid, "a result is not an object");
  return SearchResult{TRY(get_string(json, "name")), TRY(get_string(json, "description")),
                      TRY(get_int(json, "star_count")), TRY(get_bool(json, "is_official")),
                      TRY(get_bool(json, "is_automated"))};
}

}  // namespace

Result<Distribution> inspect_distribution(const Reference& name, const RegistryOptions& options,
                                          const std::stop_token& stop) {
  const Reference wanted = name.with_default_tag();
  const auto client = TRY(RegistryClient::open(wanted, options));
  auto document =
      TRY(client->manifest(wanted.digest().empty() ? wanted.tag() : wanted.digest(), stop));
  Distribution found;
  found.descriptor.media_type = TRY(media_type_of(document.text).context("the manifest"));
  found.descriptor.digest = document.digest;
  found.descriptor.size = static_cast<std::int64_t>(document.text.size());
  found.platforms = TRY(platforms_of(*client, document.text, stop).context("the manifest"));
  found.text = std::move(document.text);
  return found;
}

Result<std::vector<SearchResult>> search_registry(const std::string& term, int limit,
                                                  const RegistryOptions& options,
                                                  const std::stop_token& stop) {
  auto [server, words] = split_term(term);
  const Reference name = TRY(repository_at(server));
  RegistryHost host = TRY(find_hosts(options.settings.certificates, name.domain())).back();
  if (host.address == default_host("docker.io").address)
    host.address = fmt::format("https://{}/v2", kSearchHost);
  if (server.empty() && words.starts_with("library/")) words.remove_prefix(8);
  const auto endpoint = TRY(RegistryEndpoint::create(name, std::move(host), options.credentials, {},
                                                     {}, options.settings.silence));
  Patience patience;
  const RegistryRequest request{
      .path = fmt::format("/v1/search?q={}&n={}", percent_encode(words), limit),
      .below_host = true,
      .stop = stop};
  HttpResponse response = TRY(endpoint->send(request, patience));
  if (response.status != 200) {
    const std::string reason = reason_of(response);
    return fail(response.status == 404 ? ErrorKind::kNotFound : ErrorKind::kInternal,
                "{} answers a search with {}{}{}", name.domain(), response.status,
                reason.empty() ? "" : ": ", reason);
  }
  const std::string text = TRY(response.text(kMaxJsonBytes).context("the search"));
  const Json json = TRY(parse_json(text).context("the search"));
  std::vector<SearchResult> all;
  const Json* results = find_member(json, "results");
  if (results == nullptr) return all;
  if (!results->is_array()) return fail(ErrorKind::kInvalid, "the search: results is not a list");
  for (const Json& result : *results) {
    if (all.size() == kMaxResults) break;
    all.push_back(TRY(parse_result(result).context("the search")));
  }
  return all;
}

}  // namespace berth::image
