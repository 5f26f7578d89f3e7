#include "image/registry/authorizer.h"

#include <algorithm>

#include "base/json.h"

namespace berth::image {
namespace {

constexpr std::size_t kMaxAnswerBytes = 1U << 20;

bool is_encrypted(std::string_view url) {
  return url.starts_with("https://");
}

const AuthChallenge* find(const std::vector<AuthChallenge>& all, std::string_view scheme) {
  const auto found = std::ranges::find(all, scheme, &AuthChallenge::scheme);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

std::string percent_encode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain)
      encoded += c;
    else
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

Result<bool> Authorizer::answer(const std::string& url, const std::string& challenge) {
  const auto all = parse_challenges(challenge);
  std::string answer;
  if (const AuthChallenge* bearer = find(all, "bearer")) {
    const bool tells_password = !credentials_.empty() && credentials_.registry_token.empty();
    if (tells_password && is_encrypted(url) && !is_encrypted(bearer->get("realm")))
      return fail(ErrorKind::kInvalid,
                  "the registry wants the password sent to '{}', which is not encrypted",
                  bearer->get("realm"));
    answer = "Bearer " + TRY(fetch_token(*bearer));
  } else if (find(all, "basic") != nullptr && !credentials_.username.empty()) {
    answer = credentials_.basic();
  }
  if (answer.empty() || answer == value_) return false;
  value_ = std::move(answer);
  return true;
}

Result<std::string> Authorizer::fetch_token(const AuthChallenge& challenge) const {
  if (!credentials_.registry_token.empty()) return credentials_.registry_token;
  const std::string realm = challenge.get("realm");
  if (realm.empty()) return fail(ErrorKind::kInvalid, "the registry's challenge has no realm");
  const std::string service = percent_encode(challenge.get("service"));
  HttpRequest request;
  if (!credentials_.identity_token.empty()) {
    // One parameter with spaces here, several of the same name below: so the two protocols have it.
    const std::string scope = percent_encode(fmt::format("{}", fmt::join(scopes_, " ")));
    request = {.method = "POST",
               .url = realm,
               .body = fmt::format("grant_type=refresh_token&client_id=berth&service={}&scope={}"
                                   "&refresh_token={}",
                                   service, scope, percent_encode(credentials_.identity_token))};
  } else {
    const char joint = realm.find('?') == std::string::npos ? '?' : '&';
    request.url = fmt::format("{}{}service={}", realm, joint, service);
    for (const std::string& scope : scopes_) request.url += "&scope=" + percent_encode(scope);
    if (!credentials_.username.empty())
      request.fields.emplace_back("Authorization", credentials_.basic());
  }
  HttpResponse response = TRY(http_.send(request).context("the registry's token server"));
  const std::string text = TRY(response.text(kMaxAnswerBytes));
  if (response.status == 401 || response.status == 403)
    return fail(ErrorKind::kPermission,
                "unauthorized: the registry does not know this name and password");
  if (response.status != 200)
    return fail(ErrorKind::kInternal, "the registry's token server answers {}", response.status);
  const Json answer = TRY(parse_json(text).context("the token"));
  std::string token = TRY(get_string(answer, "token"));
  if (token.empty()) token = TRY(get_string(answer, "access_token"));
  if (token.empty() || token.find_first_of("\r\n") != std::string::npos)
    return fail(ErrorKind::kInvalid, "the registry's token server gives no token");
  return token;
}

}  // namespace berth::image
