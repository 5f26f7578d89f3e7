#include <cstdio>

#include "base/json.h"
#include "berth/command/session.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

struct RmiOptions {
  bool force = false;
  bool no_prune = false;
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"force", 'f', into<&RmiOptions::force>(), "Force removal of the image"},
    {"no-prune", 0, into<&RmiOptions::no_prune>(), "Do not delete untagged parents"},
});

Result<int> remove_images(Session& session, const RmiOptions& options, const Arguments& operands) {
  Client& client = *TRY(session.engine());
  bool only_missing = true;
  const int code = for_each_operand(operands, [&](const std::string& name) -> Result<void> {
    Target target("/images");
    target.segment(name).flag("force", options.force).flag("noprune", options.no_prune);
    auto removed = client.call("DELETE", target);
    if (!removed.ok()) {
      only_missing = only_missing && removed.error().kind() == ErrorKind::kNotFound;
      return std::move(removed).error();
    }
    const Json items = TRY(parse_json(*removed, kMaxAnswerBytes).context("the engine's answer"));
    for (const Json& item : items) {
      const std::string deleted = TRY(get_string(item, "Deleted"));
      fmt::print("{}: {}\n", deleted.empty() ? "Untagged" : "Deleted",
                 deleted.empty() ? TRY(get_string(item, "Untagged")) : deleted);
    }
    return {};
  });
  return options.force && only_missing ? 0 : code;
}

}  // namespace

constinit const Verb kRmiVerb = {
    .name = "rmi",
    .usage = "[OPTIONS] IMAGE [IMAGE...]",
    .summary = "Remove one or more images",
    .flags = kFlags,
    .operands = {.min = 1},
    .invoke = InvokeOf<remove_images>::invoke,
};

}  // namespace berth::cli
