#include "image/registry/registry_error.h"

#include <algorithm>

#include "base/json.h"
#include "image/registry/patience.h"

namespace berth::image {
namespace {

constexpr std::size_t kMaxErrorBytes = 64U << 10;

}  // namespace

std::string reason_of(HttpResponse& response) {
  const auto text = response.text(kMaxErrorBytes);
  if (!text.ok()) return {};
  const auto json = parse_json(*text);
  const Json* errors = json.ok() ? find_member(*json, "errors") : nullptr;
  if (errors == nullptr || !errors->is_array() || errors->empty()) return {};
  const auto code = get_string(errors->front(), "code");
  const auto message = get_string(errors->front(), "message");
  if (!code.ok() || !message.ok()) return {};
  // MANIFEST_UNKNOWN becomes "manifest unknown", as Docker prints it.
  std::string reason = *code;
  std::ranges::transform(reason, reason.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c == '_' ? ' ' : c;
  });
  reason += ": " + *message;
  std::ranges::replace_if(reason, [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return reason;
}

Error answer_to(HttpResponse& response, std::string_view what) {
  return Error(
      ErrorKind::kInternal,
      fmt::format("the registry answers {} for {}: {}", response.status, what, reason_of(response)),
      is_transient(response.status) ? 0 : EPROTO);
}

}  // namespace berth::image
