#include "berth/verb/pull_image.h"

#include "berth/client/json_stream.h"
#include "berth/client/registry_auth.h"

namespace berth::cli {
namespace {

// The lines that say something for good; bars that move are left out.
void show(const OrderedJson& message, std::FILE* out) {
  if (!message.is_object() || message.contains("progressDetail")) {
    const auto detail = message.find("progressDetail");
    if (detail == message.end() || !detail->empty()) return;
  }
  const auto text = [&](const char* name) {
    const auto member = message.find(name);
    return member != message.end() && member->is_string() ? member->get<std::string>()
                                                          : std::string();
  };
  const std::string id = text("id");
  fmt::print(out, "{}{}{}\n", id, id.empty() ? "" : ": ", text("status"));
}

}  // namespace

ImageName split_reference(std::string_view reference) {
  if (const auto at = reference.find('@'); at != std::string_view::npos)
    return {std::string(reference.substr(0, at)), std::string(reference.substr(at + 1))};
  const auto slash = reference.rfind('/');
  const auto colon = reference.find(':', slash == std::string_view::npos ? 0 : slash);
  if (colon == std::string_view::npos) return {std::string(reference), "latest"};
  return {std::string(reference.substr(0, colon)), std::string(reference.substr(colon + 1))};
}

Result<void> pull_image(const Client& client, std::string_view reference, std::string_view platform,
                        std::FILE* shown) {
  const ImageName name = split_reference(reference);
  Target target("/images/create");
  target.query("fromImage", name.repository).query("tag", name.tag).maybe("platform", platform);
  std::string auth = TRY(registry_auth(reference));
  HttpConnection connection = TRY(client.open());
  TRY(client.send_with_auth(connection, "POST", target, std::move(auth)));
  TRY(Client::receive_head(connection));
  JsonStream messages(connection);
  while (const auto message = TRY(messages.next())) {
    if (const auto error = message->find("error"); message->is_object() && error != message->end())
      return fail(ErrorKind::kInternal, "{}",
                  error->is_string() ? error->get<std::string>() : "the pull failed");
    if (shown != nullptr) show(*message, shown);
  }
  return {};
}

}  // namespace berth::cli
