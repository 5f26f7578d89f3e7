#include <cstdio>

#include "berth/command/session.h"
#include "berth/verb/progress.h"
#include "berth/verb/pull_image.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

struct PushOptions {
  bool all_tags = false;
  bool quiet = false;
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"all-tags", 'a', into<&PushOptions::all_tags>(),
     "Push all tags of an image to the repository"},
    {"quiet", 'q', into<&PushOptions::quiet>(), "Suppress verbose output"},
});

Result<int> push(Session& session, const PushOptions& options, const Arguments& operands) {
  const ImageName name = split_reference(operands[0]);
  const bool has_tag = name.repository != operands[0];
  if (has_tag && options.all_tags)
    return fail(ErrorKind::kInvalid, "tag can't be used with --all-tags/-a");
  if (!options.quiet && !has_tag && !options.all_tags)
    fmt::print("Using default tag: {}\n", name.tag);
  std::fflush(stdout);
  Target target("/images");
  target.segment(name.repository).then("/push");
  if (!options.all_tags) target.query("tag", name.tag);
  TRY(follow_progress(*TRY(session.engine()), target, operands[0],
                      options.quiet ? nullptr : stdout));
  if (options.quiet) fmt::print("{}{}\n", name.repository, options.all_tags ? "" : ":" + name.tag);
  return 0;
}

}  // namespace

constinit const Verb kPushVerb = {
    .name = "push",
    .usage = "[OPTIONS] NAME[:TAG]",
    .summary = "Upload an image to a registry",
    .flags = kFlags,
    .operands = {1, 1},
    .invoke = InvokeOf<push>::invoke,
};

}  // namespace berth::cli
