#include <cstdio>

#include "berth/command/session.h"
#include "berth/format/filters.h"
#include "berth/verb/prune.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

struct ContainerPruneOptions {
  std::vector<std::string> filters;
  bool force = false;
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"filter", 0, into<&ContainerPruneOptions::filters>(),
     "Provide filter values (e.g. \"until=<timestamp>\")", "filter"},
    {"force", 'f', into<&ContainerPruneOptions::force>(), "Do not prompt for confirmation"},
});

Result<int> container_prune(Session& session, const ContainerPruneOptions& options,
                            const Arguments&) {
  Target target("/containers/prune");
  target.maybe("filters", TRY(query_filters(options.filters)));
  if (!options.force) TRY(ask_before("all containers that do not run"));
  const std::string body = TRY((*TRY(session.engine())).call("POST", target));
  const Json answer = TRY(parse_json(body, kMaxAnswerBytes).context("the engine's answer"));
  const auto deleted = TRY(get_strings(answer, "ContainersDeleted"));
  if (!deleted.empty()) fmt::print("Deleted Containers:\n{}\n\n", fmt::join(deleted, "\n"));
  TRY(print_reclaimed(answer));
  return 0;
}

}  // namespace

constinit const Verb kContainerPruneVerb = {
    .name = "prune",
    .usage = "[OPTIONS]",
    .summary = "Remove all stopped containers",
    .flags = kFlags,
    .operands = {0, 0},
    .invoke = InvokeOf<container_prune>::invoke,
};

}  // namespace berth::cli
