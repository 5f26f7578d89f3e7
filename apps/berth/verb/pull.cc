#include <cstdio>

#include "berth/command/session.h"
#include "berth/verb/pull_image.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

struct PullOptions {
  bool all_tags = false;
  std::string platform;
  bool quiet = false;
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"all-tags", 'a', into<&PullOptions::all_tags>(),
     "Download all tagged images in the repository"},
    {"platform", 0, into<&PullOptions::platform>(),
     "Set platform if server is multi-platform capable", "string"},
    {"quiet", 'q', into<&PullOptions::quiet>(), "Suppress verbose output"},
});

Result<int> pull(Session& session, const PullOptions& options, const Arguments& operands) {
  const Client& client = *TRY(session.engine());
  const ImageName name = split_reference(operands[0]);
  const bool has_tag = operands[0].ends_with(name.tag) && operands[0] != name.repository;
  if (has_tag && options.all_tags)
    return fail(ErrorKind::kInvalid, "tag can't be used with --all-tags/-a");
  if (options.all_tags) {
    TRY(pull_all_tags(client, operands[0], options.platform, options.quiet ? nullptr : stdout));
    fmt::print("{}\n", name.repository);
    return 0;
  }
  if (!options.quiet && !has_tag) fmt::print("Using default tag: {}\n", name.tag);
  TRY(pull_image(client, operands[0], options.platform, options.quiet ? nullptr : stdout));
  const bool digest = name.tag.find(':') != std::string::npos;
  fmt::print("{}\n", has_tag
                         ? operands[0]
                         : fmt::format("{}{}{}", name.repository, digest ? '@' : ':', name.tag));
  return 0;
}

}  // namespace

constinit const Verb kPullVerb = {
    .name = "pull",
    .usage = "[OPTIONS] NAME[:TAG|@DIGEST]",
    .summary = "Download an image from a registry",
    .flags = kFlags,
    .operands = {1, 1},
    .invoke = InvokeOf<pull>::invoke,
};

}  // namespace berth::cli
