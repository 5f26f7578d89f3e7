#include <cstdio>

#include "berth/client/json_stream.h"
#include "berth/command/session.h"
#include "berth/verb/archive.h"
#include "berth/verb/pull_image.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

struct ImportOptions {
  std::vector<std::string> changes;
  std::string message;
  std::string platform;
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"change", 'c', into<&ImportOptions::changes>(),
     "Apply Dockerfile instruction to the created image"},
    {"message", 'm', into<&ImportOptions::message>(), "Set commit message for imported image"},
    {"platform", 0, into<&ImportOptions::platform>(),
     "Set platform if server is multi-platform capable"},
});

Result<int> import_image(Session& session, const ImportOptions& options,
                         const Arguments& operands) {
  const std::string& source = operands[0];
  if (source.find("://") != std::string::npos)
    return fail(ErrorKind::kUnsupported,
                "cannot import from a URL: fetch {} first, then import the file or '-'", source);
  Archive archive = TRY(Archive::open(source));
  Target target("/images/create");
  target.query("fromSrc", "-")
      .maybe("message", options.message)
      .maybe("platform", options.platform);
  if (operands.size() > 1) {
    const ImageName name = split_reference(operands[1]);
    target.query("repo", name.repository).query("tag", name.tag);
  }
  for (const auto& change : options.changes) target.query("changes", change);

  const Client& client = *TRY(session.engine());
  HttpConnection connection = TRY(client.open());
  TRY(client.send(connection, "POST", target, archive));
  TRY(Client::receive_head(connection));
  JsonStream messages(connection);
  while (const auto message = TRY(messages.next())) {
    if (!message->is_object()) continue;
    if (const auto error = message->find("error"); error != message->end() && error->is_string())
      return fail(ErrorKind::kInternal, "{}", error->get_ref<const std::string&>());
    if (const auto status = message->find("status");
        status != message->end() && status->is_string())
      fmt::print("{}\n", status->get_ref<const std::string&>());
  }
  return 0;
}

}  // namespace

constinit const Verb kImportVerb = {
    .name = "import",
    .usage = "[OPTIONS] file|- [REPOSITORY[:TAG]]",
    .summary = "Import the contents from a tarball to create a filesystem image",
    .flags = kFlags,
    .operands = {1, 2},
    .invoke = InvokeOf<import_image>::invoke,
};

}  // namespace berth::cli
