#include "image/registry/foreign_blob.h"

#include "image/registry/http_client.h"
#include "image/registry/patience.h"

namespace berth::image {

Result<std::unique_ptr<ByteSource>> fetch_foreign(const std::vector<std::string>& urls,
                                                  std::uint64_t offset,
                                                  const RegistrySettings& settings,
                                                  const std::stop_token& stop) {
  const HttpClient http(HttpSettings{.silence = settings.silence});
  Error last = fail(ErrorKind::kNotFound, "the manifest does not say where it is");
  for (const std::string& url : urls) {
    HttpRequest request{.url = url, .stop = stop};
    if (offset > 0) request.fields.emplace_back("Range", fmt::format("bytes={}-", offset));
    auto response = http.send(request);
    if (response.ok() && (response->status == 200 || response->status == 206))
      return response->body_from(offset);
    last = response.ok()
               ? Error(ErrorKind::kInternal, fmt::format("{} answers {}", url, response->status),
                       is_transient(response->status) ? 0 : EPROTO)
               : std::move(response).error();
  }
  return last;
}

}  // namespace berth::image
