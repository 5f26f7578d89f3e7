// What a registry is given: blobs, whole or from where a transfer broke, and manifests. Source:
// distribution-spec, "Pushing blobs", "Pushing Manifests".
#include <algorithm>
#include <charconv>

#include "base/log.h"
#include "image/registry/registry_client.h"
#include "image/registry/registry_error.h"

namespace berth::image {
namespace {

bool is_denied(int status) {
  return status == 401 || status == 403;
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

Result<bool> RegistryClient::has_blob(RegistryEndpoint& to, const BlobUpload& blob,
                                      Patience& patience, const std::stop_token& stop) const {
  HttpResponse response =
      TRY(to.send({.path = "blobs/" + blob.digest, .stop = stop, .method = "HEAD"}, patience));
  if (response.status == 200) return true;
  if (response.status == 404) return false;
  return refusal(response, blob.digest);
}

Result<RegistryClient::Upload> RegistryClient::push_blob(const BlobUpload& blob,
                                                         std::stop_token stop) {
  RegistryEndpoint& to = *TRY(pusher());
  UploadState state;
  if (TRY(has_blob(to, blob, state.patience, stop))) return Upload::kExisted;
  if (blob.file < 0)
    return fail(ErrorKind::kNotFound,
                "neither the registry nor this machine has the blob {}: pull or load the image "
                "again",
                blob.digest);
  RegistryRequest request{.path = "blobs/uploads/", .stop = stop, .method = "POST"};
  if (!blob.mount_from.empty())
    request.path += fmt::format("?mount={}&from={}", percent_encode(blob.digest),
                                percent_encode(blob.mount_from));
  for (;;) {
    HttpResponse response = TRY(to.send(request, state.patience));
    if (response.status == 201) return Upload::kMounted;
    if (response.status != 202) return refusal(response, blob.digest);
    state.address = TRY(to.location_of(response, {}));
    auto sent = send_blob(to, blob, state, stop);
    // An upload that the registry knows no more begins anew.
    if (sent.ok() || !is_transient(sent.error()) || !state.patience.again(stop)) return sent;
  }
}

Result<std::optional<std::uint64_t>> RegistryClient::received(RegistryEndpoint& to,
                                                              UploadState& state,
                                                              const std::stop_token& stop) const {
  HttpResponse response = TRY(to.send({.stop = stop, .address = state.address}, state.patience));
  if (response.status != 204 && response.status != 202) return std::optional<std::uint64_t>();
  if (!response.get("location").empty())
    state.address = TRY(to.location_of(response, state.address));
  const auto last = end_of(response.get("range"));
  // "0-0" is both nothing and one byte: nothing is safe.
  if (!last || *last == 0) return std::optional<std::uint64_t>(0);
  return std::optional(*last + 1);
}

// As one PATCH and one PUT, which every registry takes; what is left after a break is a further
// PATCH, and says where it belongs.
Result<RegistryClient::Upload> RegistryClient::send_blob(RegistryEndpoint& to,
                                                         const BlobUpload& blob, UploadState& state,
                                                         const std::stop_token& stop) const {
  for (std::uint64_t at = 0; at < blob.size;) {
    RegistryRequest part{.fields = {{"Content-Type", "application/octet-stream"}, {"Expect", ""}},
                         .stop = stop,
                         .method = "PATCH",
                         .address = state.address,
                         .upload = {blob.file, at, blob.size - at}};
    if (at > 0) part.fields.emplace_back("Content-Range", fmt::format("{}-{}", at, blob.size - 1));
    if (blob.sent) part.sent = [&blob, at](std::uint64_t count) { blob.sent(at + count); };
    auto response = to.send(part);
    if (response.ok() && response->status == 202) {
      state.address = TRY(to.location_of(*response, state.address));
      break;
    }
    const bool broken = response.ok() ? is_transient(response->status) || response->status == 416
                                      : is_transient(response.error());
    const std::string retry_after = response.ok() ? response->get("retry-after") : "";
    const Error error = response.ok() ? refusal(*response, blob.digest) : response.error();
    if (!broken || !state.patience.again(stop, retry_after)) return error;
    const auto has = TRY(received(to, state, stop));
    if (!has) return error;
    at = std::min(*has, blob.size);
    // Further than ever: one that begins anew each time comes to an end.
    if (at > state.furthest) state.patience.gained();
    state.furthest = std::max(state.furthest, at);
    log::info("{}: the upload broke; going on at byte {}", blob.digest, at);
  }
  const char joint = state.address.find('?') == std::string::npos ? '?' : '&';
  HttpResponse response = TRY(to.send(
      {.fields = {{"Content-Type", "application/octet-stream"}},
       .stop = stop,
       .method = "PUT",
       .address = fmt::format("{}{}digest={}", state.address, joint, percent_encode(blob.digest))},
      state.patience));
  if (response.status == 201) return Upload::kSent;
  if (response.status == 400)
    return fail(ErrorKind::kCorrupt, "the registry does not take {}: {}", blob.digest,
                reason_of(response));
  return refusal(response, blob.digest);
}

Result<void> RegistryClient::push_manifest(const std::string& which, const std::string& text,
                                           std::stop_token stop) {
  Patience patience;
  HttpResponse response =
      TRY(TRY(pusher())->send({.path = "manifests/" + which,
                               .fields = {{"Content-Type", TRY(media_type_of(text))}},
                               .stop = std::move(stop),
                               .method = "PUT",
                               .body = text},
                              patience));
  if (response.status == 201) return {};
  return refusal(response, "the manifest of " + name_.familiar());
}

Result<void> RegistryClient::log_in(std::stop_token stop) {
  Patience patience;
  HttpResponse response = TRY(registry().send({.path = "/", .stop = std::move(stop)}, patience));
  if (response.status == 200) return {};
  if (is_denied(response.status))
    return fail(ErrorKind::kPermission, "{}: unauthorized: incorrect username or password",
                name_.domain());
  if (response.status == 404)
    return fail(ErrorKind::kNotFound, "{} is no registry: it answers 404", name_.domain());
  return refusal(response, name_.domain());
}

}  // namespace berth::image
