#include <cstdio>

#include "berth/command/session.h"
#include "berth/format/filters.h"
#include "berth/verb/prune.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

struct ImagePruneOptions {
  bool all = false;
  std::vector<std::string> filters;
  bool force = false;
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"all", 'a', into<&ImagePruneOptions::all>(),
     "Remove all unused images, not just dangling ones"},
    {"filter", 0, into<&ImagePruneOptions::filters>(),
     "Provide filter values (e.g. \"until=<timestamp>\")", "filter"},
    {"force", 'f', into<&ImagePruneOptions::force>(), "Do not prompt for confirmation"},
});

Result<int> image_prune(Session& session, const ImagePruneOptions& options, const Arguments&) {
  std::vector<std::string> filters = options.filters;
  filters.push_back(options.all ? "dangling=false" : "dangling=true");
  Target target("/images/prune");
  target.query("filters", TRY(query_filters(filters)));
  if (!options.force)
    TRY(ask_before(options.all ? "all images that no container was made of"
                               : "all images without a name that no container was made of"));
  const std::string body = TRY((*TRY(session.engine())).call("POST", target));
  const Json answer = TRY(parse_json(body, kMaxAnswerBytes).context("the engine's answer"));
  if (const Json* deleted = find_member(answer, "ImagesDeleted"); deleted && !deleted->empty()) {
    fmt::print("Deleted Images:\n");
    for (const Json& one : *deleted) {
      const std::string untagged = TRY(get_string(one, "Untagged"));
      if (untagged.empty()) {
        fmt::print("deleted: {}\n", TRY(get_string(one, "Deleted")));
      } else {
        fmt::print("untagged: {}\n", untagged);
      }
    }
    fmt::print("\n");
  }
  TRY(print_reclaimed(answer));
  return 0;
}

}  // namespace

constinit const Verb kImagePruneVerb = {
    .name = "prune",
    .usage = "[OPTIONS]",
    .summary = "Remove unused images",
    .flags = kFlags,
    .operands = {0, 0},
    .invoke = InvokeOf<image_prune>::invoke,
};

}  // namespace berth::cli
