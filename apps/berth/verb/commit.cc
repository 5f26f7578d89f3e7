#include <cstdio>

#include "base/json.h"
#include "berth/command/session.h"
#include "berth/verb/pull_image.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

struct CommitOptions {
  std::string author;
  std::vector<std::string> changes;
  std::string message;
  bool pause = true;
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"author", 'a', into<&CommitOptions::author>(),
     "Author (e.g., \"Jane Doe <jane@example.com>\")"},
    {"change", 'c', into<&CommitOptions::changes>(),
     "Apply Dockerfile instruction to the created image"},
    {"message", 'm', into<&CommitOptions::message>(), "Commit message"},
    {"pause", 'p', into<&CommitOptions::pause>(), "Pause container during commit", "", "true"},
});

Result<int> commit(Session& session, const CommitOptions& options, const Arguments& operands) {
  Target target("/commit");
  target.query("container", operands[0])
      .maybe("author", options.author)
      .maybe("comment", options.message);
  if (operands.size() > 1) {
    const ImageName name = split_reference(operands[1]);
    target.query("repo", name.repository).query("tag", name.tag);
  }
  for (const auto& change : options.changes) target.query("changes", change);
  if (!options.pause) target.query("pause", "0");
  const std::string body = TRY((*TRY(session.engine())).call("POST", target));
  const Json answer = TRY(parse_json(body).context("the engine's answer"));
  fmt::print("{}\n", TRY(get_string(answer, "Id")));
  return 0;
}

}  // namespace

constinit const Verb kCommitVerb = {
    .name = "commit",
    .usage = "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
    .summary = "Create a new image from a container's changes",
    .flags = kFlags,
    .operands = {1, 2},
    .invoke = InvokeOf<commit>::invoke,
};

}  // namespace berth::cli
