// What a registry is given: blobs, whole or from where a transfer broke, and manifests. Source:
// distribution-spec, "Pushing blobs", "Pushing Manifests".
#include <algorithm>
#include <charconv>
#include <thread>

#include "base/log.h"
#include "image/registry/registry_client.h"
#include "image/registry/registry_error.h"

namespace berth::image {
namespace {

/// Transfers that bring nothing; each that brings something begins the count anew.
constexpr int kAttempts = 5;
constexpr std::chrono::milliseconds kPause{200};

bool is_denied(int status) {
  return status == 401 || status == 403;
}

/// The scheme and host of an address: up to the path.
std::string_view origin_of(std::string_view address) {
  const auto scheme = address.find("://");
  if (scheme == std::string_view::npos) return {};
  return address.substr(0, address.find_first_of("/?#", scheme + 3));
}

std::string_view host_of(std::string_view origin) {
  const auto scheme = origin.find("://");
  return scheme == std::string_view::npos ? origin : origin.substr(scheme + 3);
}

/// The end of the first range of "0-1023", or of "bytes=0-1023".
std::optional<std::uint64_t> end_of(std::string_view range) {
  const auto dash = range.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  std::uint64_t last = 0;
  const auto [end, error] =
      std::from_chars(range.data() + dash + 1, range.data() + range.size(), last);
  if (error != std::errc() || end != range.data() + range.size()) return std::nullopt;
  return last;
}

}  // namespace

Error RegistryClient::refusal(HttpResponse& response, std::string_view what) const {
  const std::string reason = reason_of(response);
  if (is_denied(response.status))
    return fail(ErrorKind::kPermission, "{}",
                !reason.empty()          ? reason
                : response.status == 401 ? "unauthorized: authentication required"
                                         : "denied: requested access to the resource is denied");
  if (response.status == 429)
    return fail(ErrorKind::kExhausted, "{}", reason.empty() ? "toomanyrequests" : reason);
  return fail(ErrorKind::kInternal, "the registry answers {} for {}: {}", response.status, what,
              reason);
}

Result<std::string> RegistryClient::location_of(const HttpResponse& response,
                                                const std::string& asked) {
  const std::string location = response.get("location");
  const std::scoped_lock lock(mutex_);
  if (location.starts_with('/'))
    return (asked.empty() ? base_ : std::string(origin_of(asked))) + location;
  const std::string_view origin = origin_of(location);
  if (origin.empty() || location.find_first_of("\r\n ") != std::string::npos)
    return fail(ErrorKind::kInvalid, "the registry's address for an upload is none: '{}'",
                location);
  // One behind a proxy may not know that it is spoken to with TLS.
  if (host_of(origin) == host_of(base_)) return base_ + location.substr(origin.size());
  return location;
}

Result<bool> RegistryClient::has_blob(const BlobUpload& blob, const std::stop_token& stop) {
  HttpResponse response =
      TRY(request({.path = "blobs/" + blob.digest, .stop = stop, .method = "HEAD"}));
  if (response.status == 200) return true;
  if (response.status == 404) return false;
  return refusal(response, blob.digest);
}

Result<RegistryClient::Upload> RegistryClient::push_blob(const BlobUpload& blob,
                                                         std::stop_token stop) {
  if (TRY(has_blob(blob, stop))) return Upload::kExisted;
  if (blob.file < 0)
    return fail(ErrorKind::kNotFound,
                "neither the registry nor this machine has the blob {}: pull or load the image "
                "again",
                blob.digest);
  Wanted wanted{.path = "blobs/uploads/", .stop = stop, .method = "POST"};
  if (!blob.mount_from.empty())
    wanted.path += fmt::format("?mount={}&from={}", percent_encode(blob.digest),
                               percent_encode(blob.mount_from));
  for (int i = 0;; ++i) {
    HttpResponse response = TRY(request(wanted));
    if (response.status == 201) return Upload::kMounted;
    if (response.status != 202) return refusal(response, blob.digest);
    auto sent = send_blob(blob, TRY(location_of(response, {})), stop);
    // An upload that the registry knows no more begins anew.
    if (sent.ok() || sent.error().kind() != ErrorKind::kInternal || i + 1 == kAttempts) return sent;
  }
}

Result<std::optional<std::uint64_t>> RegistryClient::received(std::string& address,
                                                              const std::stop_token& stop) {
  HttpResponse response = TRY(request({.stop = stop, .address = address}));
  if (response.status != 204 && response.status != 202) return std::optional<std::uint64_t>();
  if (!response.get("location").empty()) address = TRY(location_of(response, address));
  const auto last = end_of(response.get("range"));
  // "0-0" is both nothing and one byte: nothing is safe.
  if (!last || *last == 0) return std::optional<std::uint64_t>(0);
  return std::optional(*last + 1);
}

// As one PATCH and one PUT, which every registry takes; what is left after a break is a further
// PATCH, and says where it belongs.
Result<RegistryClient::Upload> RegistryClient::send_blob(const BlobUpload& blob,
                                                         std::string address,
                                                         const std::stop_token& stop) {
  std::uint64_t at = 0;
  for (int useless = 0; at < blob.size;) {
    Wanted part{.fields = {{"Content-Type", "application/octet-stream"}, {"Expect", ""}},
                .stop = stop,
                .method = "PATCH",
                .address = address,
                .upload = {blob.file, at, blob.size - at}};
    if (at > 0) part.fields.emplace_back("Content-Range", fmt::format("{}-{}", at, blob.size - 1));
    if (blob.sent) part.sent = [&blob, at](std::uint64_t count) { blob.sent(at + count); };
    auto response = authorized(part);
    if (response.ok() && response->status == 202) {
      address = TRY(location_of(*response, address));
      at = blob.size;
      break;
    }
    const bool broken = response.ok() ? response->status >= 500 || response->status == 416
                                      : response.error().kind() == ErrorKind::kInternal;
    if (!broken) return response.ok() ? refusal(*response, blob.digest) : response.error();
    const auto before = std::exchange(at, 0);
    if (useless + 1 == kAttempts)
      return response.ok() ? refusal(*response, blob.digest) : response.error();
    std::this_thread::sleep_for(kPause * (1 << useless));
    const auto has = TRY(received(address, stop));
    if (!has) return response.ok() ? refusal(*response, blob.digest) : response.error();
    at = std::min(*has, blob.size);
    useless = at > before ? 0 : useless + 1;
    log::info("{}: the upload broke; going on at byte {}", blob.digest, at);
  }
  const char joint = address.find('?') == std::string::npos ? '?' : '&';
  HttpResponse response = TRY(request(
      {.fields = {{"Content-Type", "application/octet-stream"}},
       .stop = stop,
       .method = "PUT",
       .address = fmt::format("{}{}digest={}", address, joint, percent_encode(blob.digest))}));
  if (response.status == 201) return Upload::kSent;
  if (response.status == 400)
    return fail(ErrorKind::kCorrupt, "the registry does not take {}: {}", blob.digest,
                reason_of(response));
  return refusal(response, blob.digest);
}

Result<void> RegistryClient::push_manifest(const std::string& which, const std::string& text,
                                           std::stop_token stop) {
  HttpResponse response = TRY(request({.path = "manifests/" + which,
                                       .fields = {{"Content-Type", TRY(media_type_of(text))}},
                                       .stop = std::move(stop),
                                       .method = "PUT",
                                       .body = text}));
  if (response.status == 201) return {};
  return refusal(response, "the manifest of " + name_.familiar());
}

Result<void> RegistryClient::log_in(std::stop_token stop) {
  HttpResponse response = TRY(request({.path = "/v2/", .stop = std::move(stop)}));
  if (response.status == 200) return {};
  if (is_denied(response.status))
    return fail(ErrorKind::kPermission, "{}: unauthorized: incorrect username or password",
                name_.domain());
  if (response.status == 404)
    return fail(ErrorKind::kNotFound, "{} is no registry: it answers 404", name_.domain());
  return refusal(response, name_.domain());
}

}  // namespace berth::image
