#include <cstdio>

#include "base/json.h"
#include "berth/command/session.h"
#include "berth/format/printable.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

// By the numbers of the engine's "Kind".
constexpr std::string_view kLetters = "CAD";

Result<int> diff(Session& session, const NoOptions&, const Arguments& operands) {
  Target target("/containers");
  target.segment(operands[0]).then("/changes");
  const std::string body = TRY((*TRY(session.engine())).call("GET", target));
  const Json answer = TRY(parse_json(body, kMaxAnswerBytes).context("the engine's answer"));
  for (const Json& change : answer) {
    const std::int64_t kind = TRY(get_int(change, "Kind"));
    if (kind < 0 || kind >= std::ssize(kLetters))
      return fail(ErrorKind::kCorrupt, "the engine tells of a change of the unknown kind {}", kind);
    fmt::print("{} {}\n", kLetters[static_cast<std::size_t>(kind)],
               printable(TRY(get_string(change, "Path"))));
  }
  return 0;
}

}  // namespace

constinit const Verb kDiffVerb = {
    .name = "diff",
    .usage = "CONTAINER",
    .summary = "Inspect changes to files or directories on a container's filesystem",
    .flags = {},
    .operands = {1, 1},
    .invoke = InvokeOf<diff>::invoke,
};

}  // namespace berth::cli
