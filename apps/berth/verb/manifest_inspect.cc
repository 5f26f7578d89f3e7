#include <cstdio>

#include "base/json.h"
#include "berth/client/registry_auth.h"
#include "berth/command/session.h"
#include "berth/format/indent.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

Result<int> manifest_inspect(Session& session, const NoOptions&, const Arguments& operands) {
  Target target("/distribution");
  target.segment(operands[0]).then("/json").query("manifest", "1");
  const Client& client = *TRY(session.engine());
  const std::string body =
      TRY(client.call_with_auth("GET", target, TRY(registry_auth(operands[0]))));
  const Json answer = TRY(parse_json(body, kMaxAnswerBytes).context("the engine's answer"));
  const std::string text = TRY(get_string(answer, "Manifest"));
  TRY(parse_json(text).context("the manifest"));
  fmt::print("{}\n", indent_json(text));
  return 0;
}

}  // namespace

constinit const Verb kManifestInspectVerb = {
    .name = "inspect",
    .usage = "IMAGE",
    .summary = "Display an image manifest, or manifest list, as its registry has it",
    .flags = {},
    .operands = {1, 1},
    .invoke = InvokeOf<manifest_inspect>::invoke,
};

}  // namespace berth::cli
