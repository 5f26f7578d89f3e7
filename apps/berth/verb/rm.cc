#include <cstdio>

#include "berth/command/session.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

struct RmOptions {
  bool force = false;
  bool link = false;
  bool volumes = false;
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"force", 'f', into<&RmOptions::force>(),
     "Force the removal of a running container (uses SIGKILL)"},
    {"link", 'l', into<&RmOptions::link>(), "Remove the specified link"},
    {"volumes", 'v', into<&RmOptions::volumes>(),
     "Remove anonymous volumes associated with the container"},
});

Result<int> remove_workloads(Session& session, const RmOptions& options,
                             const Arguments& operands) {
  Client& client = *TRY(session.engine());
  return for_each_operand(operands, [&](const std::string& name) -> Result<void> {
    Target target("/containers");
    target.segment(name)
        .flag("force", options.force)
        .flag("link", options.link)
        .flag("v", options.volumes);
    auto removed = client.call("DELETE", target);
    if (!removed.ok()) {
      // What is gone is what --force asked for.
      if (options.force && removed.error().kind() == ErrorKind::kNotFound) return {};
      return std::move(removed).error();
    }
    fmt::print("{}\n", name);
    return {};
  });
}

}  // namespace

constinit const Verb kRmVerb = {
    .name = "rm",
    .usage = "[OPTIONS] CONTAINER [CONTAINER...]",
    .summary = "Remove one or more containers",
    .flags = kFlags,
    .operands = {.min = 1},
    .invoke = InvokeOf<remove_workloads>::invoke,
};

}  // namespace berth::cli
